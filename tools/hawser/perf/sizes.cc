#include "perf/sizes.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace hawser {
namespace {

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t comma = text.find(',');
    parts.push_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

// The number that `text` starts with; the rest stays in `text`.
template <class T>
bool take_number(std::string_view& text, T& number) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

// The power of two of a unit's name, or -1.
int unit_bits(std::string_view unit) {
  std::string name;
  for (const char c : unit) name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (name.empty() || name == "b") return 0;
  const std::size_t at = std::string_view("kmgt").find(name[0]);
  const std::string rest = name.substr(1);
  const bool known = at != std::string_view::npos && (rest.empty() || rest == "b" || rest == "ib");
  return known ? 10 * (static_cast<int>(at) + 1) : -1;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  HAWSER_ASSIGN(const std::uint64_t bytes, parse_bytes(text));
  if (bytes >= kSmallestMessageBytes && bytes <= kLargestMessageBytes) return bytes;
  return Error(Code::invalid_argument, fmt::format("a message of {} bytes: want {} B to 1 GiB",
                                                   bytes, kSmallestMessageBytes));
}

}  // namespace

Result<std::uint64_t> parse_bytes(std::string_view text) {
  std::string_view rest = text;
  std::uint64_t number = 0;
  const bool digits = take_number(rest, number);
  const int bits = unit_bits(rest);
  if (!digits || bits < 0 || number > (UINT64_MAX >> bits))
    return Error(Code::invalid_argument,
                 fmt::format("'{}' is no number of bytes: want one like 8, 64K, 1M or 1G", text));
  return number << bits;
}

Result<std::vector<std::uint64_t>> parse_sizes(std::string_view text) {
  std::vector<std::uint64_t> sizes;
  for (const std::string_view part : split(text)) {
    HAWSER_ASSIGN(const std::uint64_t bytes, parse_size(part));
    if (std::find(sizes.begin(), sizes.end(), bytes) == sizes.end()) sizes.push_back(bytes);
  }
  if (sizes.size() > kMaxSizes)
    return Error(Code::invalid_argument,
                 fmt::format("{} sizes: at most {}", sizes.size(), kMaxSizes));
  return sizes;
}

std::string size_text(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", bytes, kUnits[unit]);
}

}  // namespace hawser
