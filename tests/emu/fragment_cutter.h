// Into which pieces a receive falls, where in their pages these lie, and in which order the host
// is told of them.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "settings.h"
#include "unpack_layout.h"

namespace emu {

// Not thread-safe. The same seed cuts the same way.
class FragmentCutter {
 public:
  FragmentCutter(FragmentKind kind, std::uint32_t seed) : kind_(kind), random_(seed) {}

  // The lengths of the pieces that `bytes` land in, in the order of the stream. False: they would
  // be more than kMaxFragments.
  bool cut(std::uint32_t bytes, std::vector<std::uint32_t>& lengths);

  // Where in its page a piece of that length begins.
  std::uint32_t shift(std::uint32_t length);

  // Fragments of several sockets are listed in no order: nor are these, but of `pages`.
  void arrange(std::span<LoadMeta> list);

  // Are there kinds of pieces that do not fill their pages?
  bool odd() const { return kind_ == FragmentKind::mixed || kind_ == FragmentKind::tiny; }

 private:
  std::uint32_t next_length(std::uint32_t left);
  std::uint32_t next_mixed_length();
  std::uint32_t next_tiny_length();
  void begin_tiny(std::uint32_t bytes);

  const FragmentKind kind_;
  std::mt19937 random_;
  std::uint32_t pair_bytes_ = 0;  // of tiny pieces: two of them together
  std::uint32_t second_ = 0;      // the other one of a pair; 0: a new pair begins
};

}  // namespace emu
