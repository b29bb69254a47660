#include <fmt/core.h>

#include <algorithm>

#include "base/clock.h"
#include "gpu_blocks/measure.h"

namespace hawser::bench {
namespace {

constexpr unsigned kEventDisableTiming = 2;
constexpr int kSamplesPerRepeat = 200;

// Queues, records an event, and looks until it is finished.
Result<double> one_latency_us(const Ways& ways, Way& way, const BlockCopy& block, CUevent event) {
  const CudaDriver& driver = ways.gpu()->driver();
  const TimePoint start = Clock::system().now();
  HAWSER_TRY(way.queue({&block, 1}));
  HAWSER_TRY(check_cuda(driver, driver.cuEventRecord(event, ways.stream()), "cuEventRecord"));
  CUresult result = kCudaNotReady;
  while (result == kCudaNotReady) result = driver.cuEventQuery(event);
  HAWSER_TRY(check_cuda(driver, result, "cuEventQuery"));
  return std::chrono::duration<double, std::micro>(Clock::system().now() - start).count();
}

Result<std::string> latency_line(const Ways& ways, Way& way, const BlockCopy& block, CUevent event,
                                 int repeats) {
  std::vector<double> values;
  for (int i = 0; i < repeats * kSamplesPerRepeat; ++i) {
    HAWSER_ASSIGN(const double value, one_latency_us(ways, way, block, event));
    values.push_back(value);
  }
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
  };
  return fmt::format("  {:<12} {:>8.2f} {:>8.2f} {:>8.2f}\n", way.name(), at(0), at(0.5), at(0.99));
}

Result<std::string> lines(const Ways& ways, CUevent event, int repeats) {
  std::string text;
  for (const Direction direction : {Direction::gather, Direction::scatter}) {
    HAWSER_ASSIGN(Layout layout, Layout::make(ways.gpu(), {1, 1, 8, 0}));
    text += fmt::format(
        "\n{} 8 bytes, until an event after them is finished\n  {:<12} {:>8} {:>8} {:>8}\n",
        direction_name(direction), "way", "least us", "median", "p99");
    for (const auto& way : ways.all()) {
      HAWSER_ASSIGN(const std::string line,
                    latency_line(ways, *way, layout.blocks(direction, 0)[0], event, repeats));
      text += line;
    }
  }
  return text;
}

}  // namespace

Result<std::string> latency_table(const Ways& ways, int repeats) {
  const CudaDriver& driver = ways.gpu()->driver();
  CUevent event = nullptr;
  HAWSER_TRY(
      check_cuda(driver, driver.cuEventCreate(&event, kEventDisableTiming), "cuEventCreate"));
  auto text = lines(ways, event, repeats);
  driver.cuEventDestroy(event);
  return text;
}

}  // namespace hawser::bench
