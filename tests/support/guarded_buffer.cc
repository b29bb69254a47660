#include "support/guarded_buffer.h"

#include <fmt/core.h>

#include <algorithm>

namespace hawser::test {
namespace {

// A well-mixed number for each group of eight bytes.
std::uint64_t mix(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t x = (seed + 1) * 0x9e3779b97f4a7c15 + index;
  x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93;
  x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93;
  return x ^ (x >> 32);
}

std::size_t whole_pages(std::size_t bytes) {
  return std::max<std::size_t>(1, (bytes + kPageBytes - 1) / kPageBytes) * kPageBytes;
}

std::byte* first_page(std::byte* data) {
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  return data + (kPageBytes - address % kPageBytes) % kPageBytes;
}

bool all_guard(const std::byte* from, const std::byte* to) {
  return std::all_of(from, to, [](std::byte b) { return b == GuardedBuffer::kGuard; });
}

}  // namespace

std::byte pattern_byte(std::uint64_t seed, std::size_t offset) {
  return static_cast<std::byte>(mix(seed, offset / 8) >> (offset % 8 * 8));
}

void fill_pattern(std::span<std::byte> bytes, std::uint64_t seed) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % 8 == 0) word = mix(seed, i / 8);
    bytes[i] = static_cast<std::byte>(word >> (i % 8 * 8));
  }
}

std::string pattern_mismatch(std::span<const std::byte> bytes, std::uint64_t seed) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % 8 == 0) word = mix(seed, i / 8);
    const auto expected = static_cast<std::byte>(word >> (i % 8 * 8));
    if (bytes[i] != expected)
      return fmt::format("offset {} of {}: expected {:02x}, found {:02x}", i, bytes.size(),
                         std::to_integer<unsigned>(expected), std::to_integer<unsigned>(bytes[i]));
  }
  return "";
}

GuardedBuffer::GuardedBuffer(std::size_t bytes)
    : storage_(whole_pages(bytes) + 3 * kPageBytes, kGuard),
      data_(first_page(storage_.data()) + kPageBytes),
      bytes_(whole_pages(bytes)) {}

bool GuardedBuffer::untouched_outside(std::size_t offset, std::size_t bytes) const {
  const std::byte* const end = storage_.data() + storage_.size();
  return all_guard(storage_.data(), data_ + offset) && all_guard(data_ + offset + bytes, end);
}

void GuardedBuffer::reset() {
  std::fill(storage_.begin(), storage_.end(), kGuard);
}

}  // namespace hawser::test
