#include <fmt/core.h>

#include "base/clock.h"
#include "gpu/block_kernel.h"
#include "gpu_blocks/measure.h"
#include "perf/outcome.h"

namespace hawser::bench {
namespace {

constexpr Shape kGridShape{1, 4096, 8192, 0};
constexpr unsigned kGrids[] = {4, 8, 16, 32, 64, 128, 256, 512};

// A tile for each block.
Result<Buffer> tiles_of(const Ways& ways, std::span<const BlockCopy> blocks) {
  HAWSER_ASSIGN(Buffer memory, Buffer::pinned(ways.gpu(), blocks.size() * sizeof(BlockTile)));
  auto* const tiles = static_cast<BlockTile*>(memory.range().data);
  for (std::size_t i = 0; i < blocks.size(); ++i)
    tiles[i] = {device_address(blocks[i].destination),
                device_address(blocks[i].source),
                static_cast<std::uint32_t>(blocks[i].bytes),
                {}};
  return memory;
}

Result<std::string> grid_line(const Ways& ways, const Buffer& tiles, unsigned grid, int repeats) {
  HAWSER_ASSIGN(const BlockKernel* const kernel, ways.gpu()->block_kernel());
  std::vector<double> values;
  for (int round = 0; round <= repeats; ++round) {
    const TimePoint start = Clock::system().now();
    HAWSER_TRY(kernel->launch(static_cast<const BlockTile*>(tiles.range().data), kGridShape.blocks,
                              ways.stream(), grid));
    HAWSER_TRY(ways.finish());
    const auto taken = Clock::system().now() - start;
    if (round > 0) values.push_back(std::chrono::duration<double, std::micro>(taken).count());
  }
  const double median = spread_of(values).median;
  return fmt::format("  {:>6} {:>10.1f} {:>8.2f}\n", grid, median,
                     static_cast<double>(kGridShape.bytes()) / median / 1000);
}

}  // namespace

Result<std::string> grid_table(const Ways& ways, int repeats) {
  std::string text;
  for (const Direction direction : {Direction::gather, Direction::scatter}) {
    HAWSER_ASSIGN(Layout layout, Layout::make(ways.gpu(), kGridShape));
    HAWSER_ASSIGN(const Buffer tiles, tiles_of(ways, layout.blocks(direction, 0)));
    text += fmt::format("\n{} {} in one launch, by thread blocks\n  {:>6} {:>10} {:>8}\n",
                        direction_name(direction), kGridShape.text(), "blocks", "us", "GB/s");
    for (const unsigned grid : kGrids) {
      HAWSER_ASSIGN(const std::string line, grid_line(ways, tiles, grid, repeats));
      text += line;
    }
  }
  return text;
}

}  // namespace hawser::bench
