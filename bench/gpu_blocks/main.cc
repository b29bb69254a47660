// gpu_blocks: gathering and scattering blocks of GPU memory through pinned memory, by the kernel
// and by what else there is.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "gpu/driver.h"
#include "gpu_blocks/measure.h"

namespace hawser::bench {
namespace {

enum Exit { kMeasured = 0, kEndedEarly = 1, kUsage = 2 };

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = kKiB * kKiB;
constexpr Shape kShapes[] = {
    // what is asked of it: many blocks, and a channel's chunk, alone and in a stream of chunks
    {1, 4096, 16 * kKiB, 0},
    {1, 65536, 4 * kKiB, 0},
    {1, 128, 4 * kKiB, 0},
    {64, 128, 4 * kKiB, 0},
    {1, 4096, 16 * kKiB, 5},
    // from how many blocks on is a launch the better way?
    {1, 1, 4 * kKiB, 0},
    {1, 2, 4 * kKiB, 0},
    {1, 3, 4 * kKiB, 0},
    {1, 4, 4 * kKiB, 0},
    {1, 8, 4 * kKiB, 0},
    // up to what length of a block?
    {1, 256, 128 * kKiB, 0},
    {1, 128, 256 * kKiB, 0},
    {1, 64, 512 * kKiB, 0},
    {1, 32, kMiB - 16, 0},
};

struct Given {
  int gpu = 0;
  int repeats = 15;
};

Result<std::unique_ptr<Ways>> open(const Given& given) {
  HAWSER_ASSIGN(auto driver, CudaDriver::load());
  HAWSER_ASSIGN(auto gpu, Gpu::open(std::move(driver), given.gpu));
  return Ways::make(std::move(gpu));
}

Status report(const Given& given) {
  HAWSER_ASSIGN(const auto ways, open(given));
  int version = 0;
  ways->gpu()->driver().cuDriverGetVersion(&version);
  std::cout << fmt::format(
      "=== gpu_blocks: blocks of GPU memory through pinned memory ===\n"
      "GPU:       {}, driver for CUDA {}.{}\n"
      "Repeats:   {}, all ways in turn; median (least-most); a ratio above 1 is better\n",
      ways->gpu()->label(), version / 1000, version % 1000 / 10, given.repeats);
  if (ways->all().size() < 3) std::cout << "batch:     this driver has no cuMemcpyBatchAsync\n";
  for (const Shape& shape : kShapes)
    for (const Direction direction : {Direction::gather, Direction::scatter}) {
      HAWSER_ASSIGN(const auto figures, measure(*ways, shape, direction, given.repeats));
      std::cout << table_of(shape, direction, figures) << std::flush;
    }
  HAWSER_ASSIGN(const auto latencies, latency_table(*ways, given.repeats));
  std::cout << latencies;
  HAWSER_ASSIGN(const auto grids, grid_table(*ways, given.repeats));
  std::cout << grids << std::flush;
  return {};
}

}  // namespace
}  // namespace hawser::bench

int main(int argc, char** argv) {
  hawser::bench::Given given;
  CLI::App app(
      "Gathers and scatters blocks of GPU memory: by one kernel launch, a copy each, a batch");
  app.add_option("--gpu", given.gpu, "its ordinal")->capture_default_str();
  app.add_option("--repeats", given.repeats, "samples for each figure")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? hawser::bench::kMeasured : hawser::bench::kUsage;
  }
  if (const hawser::Status status = hawser::bench::report(given); !status.ok()) {
    std::cerr << "gpu_blocks: " << status.error().message() << "\n";
    return hawser::bench::kEndedEarly;
  }
  return hawser::bench::kMeasured;
}
