#include "engine/memory_place.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "gpu/gpu.h"

namespace hawser::test {

std::shared_ptr<Gpu> simulated_gpu() {
  static const std::shared_ptr<Gpu> gpu = [] {
    auto driver = CudaDriver::load();
    auto opened = driver.ok() ? Gpu::open(*driver, 0) : driver.error();
    EXPECT_TRUE(opened.ok()) << opened.error().message();
    return opened.ok() ? *opened : nullptr;
  }();
  return gpu;
}

Memory::Memory(Place place, std::size_t bytes) : bytes_(bytes) {
  const std::size_t all = bytes + 2 * kMargin;
  if (place == Place::host) {
    host_ = std::make_unique_for_overwrite<std::byte[]>(all);
    data_ = host_.get() + kMargin;
  } else {
    auto buffer = Buffer::cuda(simulated_gpu(), all);
    EXPECT_TRUE(buffer.ok()) << buffer.error().message();
    gpu_.emplace(std::move(*buffer));
    data_ = gpu_->range().at(kMargin);
  }
  wipe();
}

void Memory::put(std::size_t offset, std::span<const std::byte> bytes) {
  if (gpu_) {
    const Status put = gpu_->write(kMargin + offset, bytes);
    EXPECT_TRUE(put.ok()) << put.error().message();
  } else {
    std::copy(bytes.begin(), bytes.end(), data_ + offset);
  }
}

std::vector<std::byte> Memory::get(std::size_t offset, std::size_t bytes) const {
  std::vector<std::byte> out(bytes);
  if (gpu_) {
    const Status got = gpu_->read(kMargin + offset, out);
    EXPECT_TRUE(got.ok()) << got.error().message();
  } else {
    std::copy_n(data_ + offset, bytes, out.begin());
  }
  return out;
}

void Memory::fill(std::uint64_t seed, std::size_t offset, std::size_t bytes) {
  std::vector<std::byte> pattern(bytes);
  fill_pattern(pattern, seed);
  put(offset, pattern);
}

void Memory::wipe() {
  const std::vector<std::byte> guard(bytes_ + 2 * kMargin, GuardedBuffer::kGuard);
  if (gpu_) {
    const Status put = gpu_->write(0, guard);
    EXPECT_TRUE(put.ok()) << put.error().message();
  } else {
    std::copy(guard.begin(), guard.end(), host_.get());
  }
}

std::string Memory::mismatch(std::uint64_t seed, std::size_t offset, std::size_t bytes) const {
  if (!gpu_) return pattern_mismatch({data_ + offset, bytes}, seed);
  return pattern_mismatch(get(offset, bytes), seed);
}

bool Memory::untouched_outside(std::size_t offset, std::size_t bytes) const {
  std::vector<std::byte> all(bytes_ + 2 * kMargin);
  if (gpu_) {
    const Status got = gpu_->read(0, all);
    EXPECT_TRUE(got.ok()) << got.error().message();
  } else {
    std::copy_n(host_.get(), all.size(), all.begin());
  }
  const auto from = all.begin() + static_cast<std::ptrdiff_t>(kMargin + offset);
  const auto is_guard = [](std::byte byte) { return byte == GuardedBuffer::kGuard; };
  return std::all_of(all.begin(), from, is_guard) &&
         std::all_of(from + static_cast<std::ptrdiff_t>(bytes), all.end(), is_guard);
}

Piece::Piece(Engine& engine, Place place, std::size_t bytes, Rights rights) : memory(place, bytes) {
  auto registered = engine.register_memory(memory.data(), bytes, rights);
  EXPECT_TRUE(registered.ok()) << registered.error().message();
  if (!registered.ok()) return;
  region = *registered;
  auto seen = RemoteRegion::from_token(region.token());
  EXPECT_TRUE(seen.ok()) << seen.error().message();
  if (seen.ok()) remote = *seen;
}

// Memory outlives its registration.
Piece::~Piece() {
  if (!region) return;
  const Status gone = region.deregister(InFlight::fail);
  EXPECT_TRUE(gone.ok()) << (gone.ok() ? "" : gone.error().message());
}

}  // namespace hawser::test
