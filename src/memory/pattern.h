// The bytes that are moved to be verified: different for every run, iteration, channel and offset,
// so that stale, swapped or shifted data cannot pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/result.h"
#include "memory/buffer.h"

namespace hawser {

struct PatternKey {
  std::uint64_t seed = 0;  // of the run
  std::uint32_t iteration = 0;
  std::uint32_t channel = 0;
};

struct Mismatch {
  std::size_t offset = 0;
  std::uint8_t expected = 0;
  std::uint8_t found = 0;
};

// `at` is the offset of the span's first byte in the channel's data; a multiple of 8.
void fill_pattern(const PatternKey& key, std::size_t at, std::span<std::byte> bytes);
// The first wrong byte, if any.
std::optional<Mismatch> find_mismatch(const PatternKey& key, std::size_t at,
                                      std::span<const std::byte> bytes);

// The same for the first `bytes` of a buffer of any kind; the offset in the buffer is the data's.
Status write_pattern(const PatternKey& key, Buffer& buffer, std::size_t bytes);
// Makes every byte another one than the pattern's, so that old data cannot pass for new.
Status write_spoiled(const PatternKey& key, Buffer& buffer, std::size_t bytes);
Result<std::optional<Mismatch>> check_pattern(const PatternKey& key, const Buffer& buffer,
                                              std::size_t bytes);

}  // namespace hawser
