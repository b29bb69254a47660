// Host memory between guard bytes, and byte patterns to fill it with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "memory/range.h"

namespace hawser::test {

// The byte at `offset` of the pattern of `seed`; differs between seeds and between pages.
std::byte pattern_byte(std::uint64_t seed, std::size_t offset);
void fill_pattern(std::span<std::byte> bytes, std::uint64_t seed);
// Empty: `bytes` are the pattern. Else where they first differ, and how.
std::string pattern_mismatch(std::span<const std::byte> bytes, std::uint64_t seed);

// Page-aligned memory of whole pages, all of it and a page on either side filled with kGuard.
// Not thread-safe by itself; distinct parts may be used by distinct threads.
class GuardedBuffer {
 public:
  static constexpr std::byte kGuard{0xa5};

  explicit GuardedBuffer(std::size_t bytes);  // rounded up to whole pages, at least one

  MemoryRange range() const { return {data(), bytes_}; }
  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  std::span<std::byte> span(std::size_t offset, std::size_t bytes) const {
    return {data_ + offset, bytes};
  }

  // Whether every byte but these, guards included, is still kGuard.
  bool untouched_outside(std::size_t offset, std::size_t bytes) const;
  void reset();  // kGuard everywhere

 private:
  std::vector<std::byte> storage_;
  std::byte* data_;
  std::size_t bytes_;
};

}  // namespace hawser::test
