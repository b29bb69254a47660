#include "gpu_blocks/layout.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>
#include <utility>

#include "perf/sizes.h"

namespace hawser::bench {
namespace {

std::size_t stride_of(const Shape& shape) {
  return 2 * std::max<std::size_t>(shape.block_bytes, 16);
}

std::vector<std::byte> random_bytes(std::size_t bytes, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<std::byte> made((bytes + 7) / 8 * 8);
  for (std::size_t i = 0; i < made.size(); i += 8) {
    const std::uint64_t value = random();
    std::memcpy(made.data() + i, &value, 8);
  }
  made.resize(bytes);
  return made;
}

Error wrong_byte(const char* where, std::size_t block) {
  return Error(Code::data, fmt::format("block {} is wrong in {}", block, where));
}

}  // namespace

const char* direction_name(Direction direction) {
  return direction == Direction::gather ? "gather" : "scatter";
}

std::string Shape::text() const {
  return fmt::format("{}{} x {}{}", calls == 1 ? "" : fmt::format("{} calls of ", calls), blocks,
                     size_text(block_bytes),
                     skew_bytes == 0 ? "" : fmt::format(", off by {}", skew_bytes));
}

Result<Layout> Layout::make(const std::shared_ptr<Gpu>& gpu, const Shape& shape) {
  HAWSER_ASSIGN(Buffer device,
                Buffer::cuda(gpu, shape.calls * shape.blocks * stride_of(shape) + 16));
  HAWSER_ASSIGN(Buffer staging, Buffer::pinned(gpu, shape.bytes()));
  return Layout(shape, std::move(device), std::move(staging));
}

Layout::Layout(const Shape& shape, Buffer device, Buffer staging)
    : shape_(shape),
      device_(std::move(device)),
      staging_(std::move(staging)),
      slots_(shape.calls * shape.blocks),
      device_bytes_(random_bytes(device_.range().bytes, 1)),
      staging_bytes_(random_bytes(staging_.range().bytes, 2)) {
  std::iota(slots_.begin(), slots_.end(), 0);
  std::shuffle(slots_.begin(), slots_.end(), std::mt19937(3));
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    std::byte* const there = device_.range().at(device_offset(i));
    std::byte* const here = staging_.range().at(i * shape_.block_bytes);
    gather_.push_back({here, there, shape_.block_bytes});
    scatter_.push_back({there, here, shape_.block_bytes});
  }
}

std::size_t Layout::device_offset(std::size_t block) const {
  return slots_[block] * stride_of(shape_) + shape_.skew_bytes;
}

std::span<const BlockCopy> Layout::blocks(Direction direction, std::size_t call) const {
  const auto& all = direction == Direction::gather ? gather_ : scatter_;
  return std::span(all).subspan(call * shape_.blocks, shape_.blocks);
}

BlockCopy Layout::contiguous(Direction direction) const {
  if (direction == Direction::gather)
    return {staging_.range().data, device_.range().data, shape_.bytes()};
  return {device_.range().data, staging_.range().data, shape_.bytes()};
}

Status Layout::reset(Direction direction) {
  if (direction == Direction::gather) std::memset(staging_.range().data, 0, shape_.bytes());
  if (direction == Direction::scatter) HAWSER_TRY(staging_.write(0, staging_bytes_));
  return device_.write(0, device_bytes_);
}

Status Layout::verify(Direction direction) const {
  return direction == Direction::gather ? compare_staging() : compare_device();
}

Status Layout::compare_staging() const {
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (std::memcmp(staging_.range().at(i * shape_.block_bytes),
                    device_bytes_.data() + device_offset(i), shape_.block_bytes) != 0)
      return wrong_byte("pinned memory", i);
  return {};
}

// Gaps must be as they were, too.
Status Layout::compare_device() const {
  std::vector<std::byte> expected = device_bytes_;
  for (std::size_t i = 0; i < slots_.size(); ++i)
    std::memcpy(expected.data() + device_offset(i), staging_bytes_.data() + i * shape_.block_bytes,
                shape_.block_bytes);
  std::vector<std::byte> bytes(expected.size());
  HAWSER_TRY(device_.read(0, bytes));
  const auto differ = std::mismatch(bytes.begin(), bytes.end(), expected.begin());
  if (differ.first == bytes.end()) return {};
  const auto offset = static_cast<std::size_t>(differ.first - bytes.begin());
  return wrong_byte("the GPU's memory, or the gap after it", offset / stride_of(shape_));
}

}  // namespace hawser::bench
