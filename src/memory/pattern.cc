#include "memory/pattern.h"

#include <algorithm>
#include <cstring>
#include <vector>

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
// Buffers are filled and compared in pieces of this size: GPU memory needs no host copy of it all.
constexpr std::size_t kPieceBytes = 1 << 20;

template <class Piece>
Status each_piece(std::size_t bytes, Piece&& piece) {
  std::vector<std::byte> space(std::min(kPieceBytes, bytes));
  for (std::size_t at = 0; at < bytes; at += kPieceBytes)
    HAWSER_TRY(piece(at, std::span(space).first(std::min(kPieceBytes, bytes - at))));
  return {};
}

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

Status write_pattern(const PatternKey& key, Buffer& buffer, std::size_t bytes) {
  return each_piece(bytes, [&](std::size_t at, std::span<std::byte> part) {
    fill_pattern(key, at, part);
    return buffer.write(at, part);
  });
}

Status write_spoiled(const PatternKey& key, Buffer& buffer, std::size_t bytes) {
  return each_piece(bytes, [&](std::size_t at, std::span<std::byte> part) {
    fill_pattern(key, at, part);
    for (std::byte& byte : part) byte = ~byte;
    return buffer.write(at, part);
  });
}

Result<std::optional<Mismatch>> check_pattern(const PatternKey& key, const Buffer& buffer,
                                              std::size_t bytes) {
  std::optional<Mismatch> wrong;
  const Status read = each_piece(bytes, [&](std::size_t at, std::span<std::byte> part) -> Status {
    if (wrong) return {};
    HAWSER_TRY(buffer.read(at, part));
    wrong = find_mismatch(key, at, part);
    return {};
  });
  if (!read.ok()) return read.error();
  return wrong;
}

}  // namespace hawser
