#include "support/guarded_buffer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

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

// Tests are not optimised: memcmp is. All are alike where each is as the one before it.
bool all_guard(const std::byte* from, const std::byte* to) {
  if (from == to) return true;
  const auto more = static_cast<std::size_t>(to - from) - 1;
  return *from == GuardedBuffer::kGuard && std::memcmp(from, from + 1, more) == 0;
}

}  // namespace

std::byte pattern_byte(std::uint64_t seed, std::size_t offset) {
  return static_cast<std::byte>(mix(seed, offset / 8) >> (offset % 8 * 8));
}

void fill_pattern(std::span<std::byte> bytes, std::uint64_t seed) {
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    const std::uint64_t word = mix(seed, i / 8);
    std::memcpy(bytes.data() + i, &word, std::min<std::size_t>(8, bytes.size() - i));
  }
}

std::string pattern_mismatch(std::span<const std::byte> bytes, std::uint64_t seed) {
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    const std::uint64_t word = mix(seed, i / 8);
    if (std::memcmp(bytes.data() + i, &word, std::min<std::size_t>(8, bytes.size() - i)) == 0)
      continue;
    while (bytes[i] == pattern_byte(seed, i)) ++i;
    return fmt::format("offset {} of {}: expected {:02x}, found {:02x}", i, bytes.size(),
                       std::to_integer<unsigned>(pattern_byte(seed, i)),
                       std::to_integer<unsigned>(bytes[i]));
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
