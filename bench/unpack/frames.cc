#include "unpack/frames.h"

#include <fmt/core.h>

#include <vector>

#include "base/clock.h"
#include "net/unpack/unpacker.h"
#include "perf/outcome.h"

namespace hawser::bench {
namespace {

constexpr std::size_t kFragmentsOfFrame = 8;
constexpr std::size_t kFramesTogether = 8;

// Receives of some pages each, one behind the other.
struct Frames {
  Buffer pool;
  Buffer list;  // pinned, as a plugin's
  Buffer to;    // pinned, as frames are

  static Result<Frames> make(const std::shared_ptr<Gpu>& gpu) {
    constexpr std::size_t kPages = kFragmentsOfFrame * kFramesTogether;
    HAWSER_ASSIGN(Buffer pool, Buffer::cuda(gpu, kPages * kPageBytes));
    HAWSER_ASSIGN(Buffer list, Buffer::pinned(gpu, kPages * sizeof(Fragment)));
    HAWSER_ASSIGN(Buffer to, Buffer::pinned(gpu, kPages * kPageBytes));
    return Frames{std::move(pool), std::move(list), std::move(to)};
  }

  Fragments fragments(std::size_t receive, std::size_t count, std::uint32_t bytes) {
    auto* const mine =
        reinterpret_cast<Fragment*>(list.range().at(0)) + receive * kFragmentsOfFrame;
    for (std::size_t i = 0; i < count; ++i)
      mine[i] = {static_cast<std::uint32_t>((receive * kFragmentsOfFrame + i) * kPageBytes), bytes,
                 i * bytes};
    return {pool.range().at(0), MemoryKind::cuda, pool.range().bytes, {mine, count}};
  }
};

Result<double> median_us(Unpacker& unpacker, Frames& frames, std::size_t receives,
                         std::size_t count, std::uint32_t bytes, int samples) {
  std::vector<double> taken;
  for (int sample = 0; sample < samples; ++sample) {
    const TimePoint start = Clock::system().now();
    for (std::size_t i = 0; i < receives; ++i)
      HAWSER_TRY(unpacker.add(frames.fragments(i, count, bytes),
                              {frames.to.range().at(i * kFragmentsOfFrame * kPageBytes),
                               count * bytes, Reach::pinned}));
    HAWSER_ASSIGN(const std::uint64_t mark, unpacker.submit());
    for (bool finished = false; !finished;) {
      HAWSER_ASSIGN(finished, unpacker.finished(mark));
    }
    taken.push_back(
        std::chrono::duration<double, std::micro>(Clock::system().now() - start).count());
  }
  return spread_of(taken).median;
}

}  // namespace

Result<std::string> frames_table(const std::shared_ptr<Gpu>& gpu, int samples) {
  HAWSER_ASSIGN(Frames frames, Frames::make(gpu));
  HAWSER_ASSIGN(const auto kernel,
                Unpacker::create({UnpackMode::kernel, nullptr}, gpu, kFragmentsOfFrame * kPageBytes,
                                 kFramesTogether));
  HAWSER_ASSIGN(const auto d2d, Unpacker::create({UnpackMode::d2d, nullptr}, gpu,
                                                 kFragmentsOfFrame * kPageBytes, kFramesTogether));
  std::string text =
      "\nsmall receives into pinned memory, us until done, median: kernel / copies\n";
  for (const std::uint32_t bytes : {64U, 4096U})
    for (const std::size_t receives : {std::size_t{1}, std::size_t{4}, std::size_t{8}})
      for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{4}}) {
        HAWSER_ASSIGN(const double by_kernel,
                      median_us(*kernel, frames, receives, count, bytes, samples));
        HAWSER_ASSIGN(const double by_copies,
                      median_us(*d2d, frames, receives, count, bytes, samples));
        text += fmt::format("  {} receives of {} x {} B: {:.1f} / {:.1f}\n", receives, count, bytes,
                            by_kernel, by_copies);
      }
  return text;
}

}  // namespace hawser::bench
