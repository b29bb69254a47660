// How much memory a channel's messages go round in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace hawser {

// Beyond this a ring has one slot: a second would double gigabytes to save a pause that no longer
// counts.
inline constexpr std::uint64_t kLargestPairedBytes = std::uint64_t{128} << 20;

// As many messages as fit into `ring_bytes`, but two, so that one can arrive while the other is
// being dealt with, and no more than can be in flight.
inline std::size_t ring_slots(std::uint64_t message_bytes, std::uint64_t ring_bytes,
                              std::size_t window) {
  if (message_bytes > kLargestPairedBytes) return 1;
  return std::clamp<std::size_t>(ring_bytes / message_bytes, 2, std::max<std::size_t>(2, window));
}

}  // namespace hawser
