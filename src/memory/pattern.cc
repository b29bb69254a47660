#include "memory/pattern.h"

#include <algorithm>
#include <array>
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
constexpr std::size_t kWordsOfBlock = 8;
constexpr std::size_t kBlockBytes = kWordsOfBlock * kWord;
// Between the words of a block: odd, and no two multiples of it are near each other.
constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15u;
// So many blocks are compared before the outcome is looked at.
constexpr std::size_t kBlocksAtOnce = 64;
// GPU memory is filled and compared in pieces of this size: it needs no host copy of it all.
constexpr std::size_t kPieceBytes = 1 << 20;

// The word at that offset of the data. One word of a block is mixed, and the others follow by
// additions, of which a CPU does several at a time.
std::uint64_t word_at(std::uint64_t stream, std::size_t offset) {
  return mix(stream + offset / kBlockBytes) + offset % kBlockBytes / kWord * kStep;
}

// Goes through the span: words before the first whole block, and behind the last, one by one with
// `word(offset in the span, what it should be, bytes of it)`; what is between by
// `blocks(offset in the span, number of the first block, how many)`.
template <class Word, class Blocks>
void each_part(std::uint64_t stream, std::size_t at, std::size_t bytes, Word&& word,
               Blocks&& blocks) {
  const auto words_until = [&](std::size_t offset, std::size_t end) {
    for (; offset < end; offset += kWord)
      word(offset, word_at(stream, at + offset), std::min(kWord, end - offset));
  };
  const std::size_t head = std::min(bytes, (kBlockBytes - at % kBlockBytes) % kBlockBytes);
  words_until(0, head);
  const std::size_t count = (bytes - head) / kBlockBytes;
  if (count > 0) blocks(head, (at + head) / kBlockBytes, count);
  words_until(head + count * kBlockBytes, bytes);
}

void fill_blocks(std::uint64_t stream, std::uint64_t first, std::size_t count, std::byte* to) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t mixed = mix(stream + first + i);
    for (std::size_t j = 0; j < kWordsOfBlock; ++j) {
      const std::uint64_t word = mixed + j * kStep;
      std::memcpy(to + i * kBlockBytes + j * kWord, &word, kWord);
    }
  }
}

bool blocks_are(std::uint64_t stream, std::uint64_t first, std::size_t count,
                const std::byte* from) {
  std::array<std::uint64_t, kWordsOfBlock> wrong{};
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t mixed = mix(stream + first + i);
    for (std::size_t j = 0; j < kWordsOfBlock; ++j) {
      std::uint64_t found;
      std::memcpy(&found, from + i * kBlockBytes + j * kWord, kWord);
      wrong[j] |= found ^ (mixed + j * kStep);
    }
  }
  return std::ranges::all_of(wrong, [](std::uint64_t bits) { return bits == 0; });
}

Mismatch locate(std::size_t at, const std::byte* found, std::uint64_t word) {
  std::byte expected[kWord];
  std::memcpy(expected, &word, kWord);
  std::size_t i = 0;
  while (expected[i] == found[i]) ++i;
  return {at + i, std::to_integer<std::uint8_t>(expected[i]),
          std::to_integer<std::uint8_t>(found[i])};
}

// What can be reached without a copy: all of it at once, else in pieces through host memory.
bool in_reach(const Buffer& buffer, std::size_t bytes) {
  return buffer.range().kind == MemoryKind::host && bytes <= buffer.range().bytes;
}

template <class Piece>
Status each_piece(std::size_t bytes, Piece&& piece) {
  std::vector<std::byte> space(std::min(kPieceBytes, bytes));
  for (std::size_t at = 0; at < bytes; at += kPieceBytes)
    HAWSER_TRY(piece(at, std::span(space).first(std::min(kPieceBytes, bytes - at))));
  return {};
}

void spoil(std::span<std::byte> bytes) {
  for (std::byte& byte : bytes) byte = ~byte;
}

}  // namespace

void fill_pattern(const PatternKey& key, std::size_t at, std::span<std::byte> bytes) {
  const std::uint64_t stream = stream_of(key);
  each_part(
      stream, at, bytes.size(),
      [&](std::size_t offset, std::uint64_t word, std::size_t n) {
        std::memcpy(bytes.data() + offset, &word, n);
      },
      [&](std::size_t offset, std::uint64_t first, std::size_t count) {
        fill_blocks(stream, first, count, bytes.data() + offset);
      });
}

std::optional<Mismatch> find_mismatch(const PatternKey& key, std::size_t at,
                                      std::span<const std::byte> bytes) {
  const std::uint64_t stream = stream_of(key);
  std::optional<Mismatch> wrong;  // the first
  const auto word = [&](std::size_t offset, std::uint64_t expected, std::size_t n) {
    if (!wrong && std::memcmp(bytes.data() + offset, &expected, n) != 0)
      wrong = locate(at + offset, bytes.data() + offset, expected);
  };
  each_part(stream, at, bytes.size(), word,
            [&](std::size_t offset, std::uint64_t first, std::size_t count) {
              for (std::size_t i = 0; i < count && !wrong; i += kBlocksAtOnce) {
                const std::size_t some = std::min(kBlocksAtOnce, count - i);
                const std::size_t begin = offset + i * kBlockBytes;
                if (blocks_are(stream, first + i, some, bytes.data() + begin)) continue;
                for (std::size_t j = 0; j < some * kBlockBytes; j += kWord)
                  word(begin + j, word_at(stream, at + begin + j), kWord);
              }
            });
  return wrong;
}

Status write_pattern(const PatternKey& key, Buffer& buffer, std::size_t bytes) {
  if (in_reach(buffer, bytes)) {
    fill_pattern(key, 0, {static_cast<std::byte*>(buffer.range().data), bytes});
    return {};
  }
  return each_piece(bytes, [&](std::size_t at, std::span<std::byte> part) {
    fill_pattern(key, at, part);
    return buffer.write(at, part);
  });
}

Status write_spoiled(const PatternKey& key, Buffer& buffer, std::size_t bytes) {
  if (in_reach(buffer, bytes)) {
    const std::span all(static_cast<std::byte*>(buffer.range().data), bytes);
    fill_pattern(key, 0, all);
    spoil(all);
    return {};
  }
  return each_piece(bytes, [&](std::size_t at, std::span<std::byte> part) {
    fill_pattern(key, at, part);
    spoil(part);
    return buffer.write(at, part);
  });
}

Result<std::optional<Mismatch>> check_pattern(const PatternKey& key, const Buffer& buffer,
                                              std::size_t bytes) {
  if (in_reach(buffer, bytes))
    return find_mismatch(key, 0, {static_cast<const std::byte*>(buffer.range().data), bytes});
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
