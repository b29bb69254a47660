#include "fragment_cutter.h"

#include <algorithm>
#include <utility>

namespace emu {
namespace {

constexpr std::uint32_t kSegmentBytes = 1448;  // TCP payload of a 1500-byte frame
constexpr std::uint32_t kTinyPairBytes = 512;  // 2 + 510, 3 + 509 ...
constexpr std::uint32_t kShortestTiny = 2;
// Up to there the last piece has room for what would have been another.
constexpr std::uint32_t kRoomForOneMore = kMaxFragments * kPageBytes / 4;

}  // namespace

bool FragmentCutter::cut(std::uint32_t bytes, std::vector<std::uint32_t>& lengths) {
  lengths.clear();
  if (kind_ == FragmentKind::tiny) begin_tiny(bytes);
  for (std::uint32_t left = bytes; left > 0; left -= lengths.back()) {
    if (lengths.size() == kMostFragments) return false;
    const bool last = lengths.size() + 1 == kMostFragments && left <= kPageBytes;
    lengths.push_back(last ? left : std::min(next_length(left), left));
  }
  return true;
}

std::uint32_t FragmentCutter::next_length(std::uint32_t left) {
  if (kind_ == FragmentKind::mixed) return next_mixed_length();
  if (kind_ == FragmentKind::tiny) return next_tiny_length();
  return std::min(kPageBytes, left);
}

// Mostly whole pages; some as short as a TCP segment, some of any length, some a byte.
std::uint32_t FragmentCutter::next_mixed_length() {
  const std::uint32_t dice = random_() % 100;
  if (dice >= 95) return 1;
  if (dice >= 85) return 1 + random_() % (kPageBytes - 1);
  return dice >= 70 ? kSegmentBytes : kPageBytes;
}

// In pairs of 512 bytes or a little more, so that 512 KiB are nearly kMostFragments pieces, and
// never more; larger requests have longer pairs. The first piece is half of one, and odd, so that
// no pair begins at an even place of the buffer; where pairs are long there is no room for it.
void FragmentCutter::begin_tiny(std::uint32_t bytes) {
  const std::uint32_t count = bytes <= kRoomForOneMore ? kMaxFragments : kMostFragments;
  const std::uint32_t mean = bytes / count + (bytes % count != 0 ? 1 : 0);
  pair_bytes_ = std::clamp(2 * mean, kTinyPairBytes, 2 * kPageBytes);
  const std::uint32_t odd = 3 + 2 * (random_() % (kTinyPairBytes / 2 - 2));  // to 509
  second_ = pair_bytes_ > kPageBytes / 2 ? 0 : odd;
}

std::uint32_t FragmentCutter::next_tiny_length() {
  if (second_ != 0) return std::exchange(second_, 0);
  const std::uint32_t shortest =
      std::max(kShortestTiny, pair_bytes_ > kPageBytes ? pair_bytes_ - kPageBytes : 0);
  const std::uint32_t first = shortest + random_() % (pair_bytes_ - 2 * shortest + 1);
  second_ = pair_bytes_ - first;
  return first;
}

std::uint32_t FragmentCutter::shift(std::uint32_t length) {
  const std::uint32_t slack = kPageBytes - length;
  if (!odd() || slack == 0) return 0;
  if (kind_ == FragmentKind::mixed) return random_() % (slack + 1);
  return 2 * (random_() % ((slack + 1) / 2)) + 1;
}

void FragmentCutter::arrange(std::span<LoadMeta> list) {
  if (kind_ != FragmentKind::pages) std::shuffle(list.begin(), list.end(), random_);
}

}  // namespace emu
