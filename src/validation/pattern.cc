#include "validation/pattern.h"

#include <algorithm>
#include <cstring>

namespace hawser {
namespace {

// A bijective mixer (the finaliser of SplitMix64): distinct inputs give distinct words.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

std::uint64_t stream_of(const PatternKey& key) {
  return mix(key.seed ^ mix((std::uint64_t{key.iteration} << 32) | key.channel));
}

constexpr std::size_t kWord = sizeof(std::uint64_t);

// Calls `with(offset, word, bytes of it)` for each word of the span.
template <class With>
void each_word(const PatternKey& key, std::size_t at, std::size_t bytes, With&& with) {
  const std::uint64_t stream = stream_of(key);
  for (std::size_t offset = 0; offset < bytes; offset += kWord)
    with(offset, mix(stream + (at + offset) / kWord), std::min(kWord, bytes - offset));
}

Mismatch locate(std::size_t at, const std::byte* found, std::uint64_t word) {
  std::byte expected[kWord];
  std::memcpy(expected, &word, kWord);
  std::size_t i = 0;
  while (expected[i] == found[i]) ++i;
  return {at + i, std::to_integer<std::uint8_t>(expected[i]),
          std::to_integer<std::uint8_t>(found[i])};
}

}  // namespace

void fill_pattern(const PatternKey& key, std::size_t at, std::span<std::byte> bytes) {
  each_word(key, at, bytes.size(), [&](std::size_t offset, std::uint64_t word, std::size_t n) {
    std::memcpy(bytes.data() + offset, &word, n);
  });
}

std::optional<Mismatch> find_mismatch(const PatternKey& key, std::size_t at,
                                      std::span<const std::byte> bytes) {
  std::optional<Mismatch> first;
  each_word(key, at, bytes.size(), [&](std::size_t offset, std::uint64_t word, std::size_t n) {
    if (!first && std::memcmp(bytes.data() + offset, &word, n) != 0)
      first = locate(at + offset, bytes.data() + offset, word);
  });
  return first;
}

}  // namespace hawser
