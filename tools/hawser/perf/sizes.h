// Byte counts as people write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hawser {

inline constexpr std::uint64_t kSmallestMessageBytes = 8;
inline constexpr std::uint64_t kLargestMessageBytes = std::uint64_t{1} << 30;
inline constexpr std::size_t kMaxSizes = 64;

// "8", "64K", "1MiB", "1g": powers of 1024.
Result<std::uint64_t> parse_bytes(std::string_view text);
// Comma-separated; each within the bounds above, no two alike; kept in the order given.
Result<std::vector<std::uint64_t>> parse_sizes(std::string_view text);
// "64 KiB"; what is no whole number of a unit stays in bytes: "100 B".
std::string size_text(std::uint64_t bytes);

}  // namespace hawser
