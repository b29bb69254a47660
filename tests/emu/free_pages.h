// Which pages of a pool are free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace emu {

// In extents of neighbouring pages; the extents come in scrambled order, and whole ones that come
// back are used again last. Not thread-safe.
class FreePages {
 public:
  static constexpr std::uint32_t kMaxExtentPages = 64;

  FreePages(std::uint32_t pages, std::uint32_t extent_pages);

  std::size_t count() const { return count_; }

  // `count` neighbours, the first of them `first`.
  struct Run {
    std::uint32_t first;
    std::uint32_t count;
  };
  // 1 to `most`, where there are any.
  Run take(std::uint32_t most);
  void put(std::uint32_t page);

 private:
  const std::uint32_t extent_pages_;
  std::vector<std::uint64_t> free_;  // by extent: a bit for each free page
  std::vector<std::uint32_t> ring_;  // extents that have any
  std::size_t head_ = 0;
  std::size_t extents_;  // in the ring
  std::size_t count_;
};

}  // namespace emu
