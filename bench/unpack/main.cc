// unpack: receives of a bounce pool put in place, by every mode, beside one copy of as many bytes.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstring>
#include <iostream>

#include "gpu/driver.h"
#include "unpack/frames.h"
#include "unpack/measure.h"

namespace hawser::bench {
namespace {

struct Given {
  std::string memory = "auto";
  int gpu = 0;
  int repeats = 15;
  std::size_t receives = 1024;
};

constexpr int kLatencySamples = 3000;
constexpr int kThreads = 4;  // a channel each

Result<std::shared_ptr<Gpu>> open_gpu(const Given& given) {
  auto driver = CudaDriver::load();
  if (!driver.ok() && given.memory != "cuda") return std::shared_ptr<Gpu>();
  if (!driver.ok()) return driver.error();
  return Gpu::open(*driver, given.gpu);
}

Result<std::shared_ptr<Unpacker>> unpacker(UnpackMode mode, const std::shared_ptr<Gpu>& gpu,
                                           std::size_t window) {
  HAWSER_ASSIGN(auto made, Unpacker::create({mode, nullptr}, gpu, kChunkBytes, window));
  return std::shared_ptr<Unpacker>(std::move(made));
}

Result<std::string> gpu_table(const std::shared_ptr<Gpu>& gpu, Cut cut, const Given& given) {
  HAWSER_ASSIGN(BouncePool pool, BouncePool::make(gpu, cut, given.receives));
  std::vector<std::shared_ptr<Unpacker>> kernels;
  for (int i = 0; i < kThreads; ++i) {
    HAWSER_ASSIGN(kernels.emplace_back(), unpacker(UnpackMode::kernel, gpu, given.receives));
  }
  const std::shared_ptr<Unpacker>& one = kernels.front();
  HAWSER_ASSIGN(std::unique_ptr<Crew> made_crew, Crew::make(kThreads));
  const std::shared_ptr<Crew> crew(std::move(made_crew));
  HAWSER_ASSIGN(const auto d2d, unpacker(UnpackMode::d2d, gpu, given.receives));
  HAWSER_ASSIGN(std::unique_ptr<GpuStream> made, GpuStream::create(gpu, 1));
  const std::shared_ptr<GpuStream> stream(std::move(made));
  const Way whole{"one copy of as many bytes",
                  [&pool, stream]() -> Status {
                    HAWSER_TRY(stream->copy(pool.destination().range().at(0),
                                            pool.source().range().at(0), pool.bytes()));
                    return stream->synchronize();
                  },
                  false};
  std::vector<Way> ways = {
      unpacking_by_crew("kernel, 16 a launch, 4 channels and threads", crew, kernels, pool, 16),
      unpacking("kernel, 16 a launch", one, pool, 16),
      unpacking("kernel, 4 a launch", one, pool, 4), unpacking("kernel, 1 a launch", one, pool, 1)};
  if (cut == Cut::pages) ways.push_back(unpacking("d2d", d2d, pool, 16));
  ways.push_back(whole);
  HAWSER_ASSIGN(std::string text, table(pool, ways, given.repeats));
  HAWSER_ASSIGN(const std::string taken, latency(*one, pool, kLatencySamples));
  return text +
         fmt::format("  kernel, one receive until it is done: {} us (least, median, p99)\n", taken);
}

Result<std::string> host_table(Cut cut, const Given& given) {
  HAWSER_ASSIGN(BouncePool pool, BouncePool::make(nullptr, cut, given.receives));
  HAWSER_ASSIGN(const auto host, unpacker(UnpackMode::host, nullptr, 16));
  const Way bare{"memcpy of the same fragments", [&pool]() -> Status {
                   for (std::size_t i = 0; i < pool.receives(); ++i) {
                     const Fragments fragments = pool.fragments(i);
                     std::byte* const to = pool.place(i).data;
                     for (const Fragment& one : fragments.list)
                       std::memcpy(to + one.destination_offset,
                                   fragments.bounce + one.source_offset, one.bytes);
                   }
                   return {};
                 }};
  return table(pool, {unpacking("host, 1 receive at a time", host, pool, 1), bare}, given.repeats);
}

Status report(const Given& given) {
  std::shared_ptr<Gpu> gpu;
  if (given.memory != "host") {
    HAWSER_ASSIGN(gpu, open_gpu(given));
  }
  std::cout << fmt::format(
      "=== unpack: {} receives of 512 KiB (tiny ones: 512 at most) out of a bounce pool ===\n"
      "Memory:    {}\nRepeats:   {}, all ways in turn; GB/s of read and write, median "
      "(least-most); x: the median ratio to the last line\n",
      given.receives, gpu != nullptr ? gpu->label() : "host (no usable GPU, or asked for)",
      given.repeats);
  if (gpu != nullptr) {
    HAWSER_ASSIGN(const std::string text, frames_table(gpu, kLatencySamples));
    std::cout << text << std::flush;
  }
  for (const Cut cut : {Cut::pages, Cut::random, Cut::tiny}) {
    HAWSER_ASSIGN(const std::string text,
                  gpu != nullptr ? gpu_table(gpu, cut, given) : host_table(cut, given));
    std::cout << "\nfragments: " << cut_text(cut) << "\n" << text << std::flush;
  }
  return {};
}

}  // namespace
}  // namespace hawser::bench

int main(int argc, char** argv) {
  hawser::bench::Given given;
  CLI::App app("Puts receives that lie in a bounce pool in their places, in every mode");
  app.add_option("--memory", given.memory, "auto, host or cuda")->capture_default_str();
  app.add_option("--gpu", given.gpu, "its ordinal")->capture_default_str();
  app.add_option("--repeats", given.repeats, "samples for each figure")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--receives", given.receives, "in the pool")
      ->check(CLI::Range(16, 4096))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (const hawser::Status status = hawser::bench::report(given); !status.ok()) {
    std::cerr << "unpack: " << status.error().message() << "\n";
    return 1;
  }
  return 0;
}
