// What the two sides of a fault test have agreed on: a few slots of memory that one writes, the
// other verifies, and the first reads back.
#pragma once

#include <fmt/core.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <sstream>
#include <string>

#include "memory/pattern.h"
#include "support/sanitizers.h"

namespace hawser::test {

inline constexpr std::size_t kTrafficSlots = 8;
// Verified four times each; under a sanitizer 2 MiB would make of a link that fails over a slow
// test.
inline const std::size_t kTrafficSlotBytes = kSanitized ? 256 << 10 : 2 << 20;
inline const std::size_t kTrafficBytes = kTrafficSlots * kTrafficSlotBytes;
inline constexpr std::uint64_t kTrafficTokenTag = 1;

// A slot's content, by its number and how often it was written.
struct SlotRound {
  std::uint32_t slot = 0;
  std::uint32_t round = 0;

  PatternKey key() const { return {1965, round, slot}; }
  std::size_t offset() const { return slot * kTrafficSlotBytes; }
  std::string text(const char* word) const { return fmt::format("{} {} {}", word, slot, round); }

  // What text() made, if it begins with that word.
  static std::optional<SlotRound> parse(const std::string& text, const std::string& word) {
    std::istringstream stream(text);
    std::string found;
    SlotRound it;
    stream >> found >> it.slot >> it.round;
    if (!stream || found != word || it.slot >= kTrafficSlots) return std::nullopt;
    return it;
  }
};

}  // namespace hawser::test
