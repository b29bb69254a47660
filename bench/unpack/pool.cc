#include "unpack/pool.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>

namespace hawser::bench {
namespace {

constexpr std::size_t kMostFragments = 2048;
constexpr std::size_t kMostPoolPages = (std::size_t{1} << 32) / kPageBytes;  // 32 bits of offset

std::size_t piece_bytes(Cut cut, std::mt19937_64& random) {
  if (cut == Cut::pages) return kPageBytes;
  if (cut == Cut::random) return 1 + random() % kPageBytes;
  return 2 + random() % 509;
}

// Pieces of 256 bytes and less on average do not fit a plugin's table.
std::size_t pages_per_receive(Cut cut) {
  if (cut == Cut::pages) return kChunkBytes / kPageBytes;
  return cut == Cut::random ? 400 : kMostFragments;
}

Result<Buffer> memory(const std::shared_ptr<Gpu>& gpu, std::size_t bytes) {
  return gpu != nullptr ? Buffer::cuda(gpu, bytes) : Buffer::host(bytes);
}

}  // namespace

const char* cut_text(Cut cut) {
  if (cut == Cut::pages) return "pages of 4 KiB";
  return cut == Cut::random ? "1 to 4096 bytes, unaligned" : "2 to 510 bytes, unaligned";
}

Result<BouncePool> BouncePool::make(std::shared_ptr<Gpu> gpu, Cut cut, std::size_t receives) {
  receives = std::min(receives, kMostPoolPages / pages_per_receive(cut));
  const std::size_t pages = receives * pages_per_receive(cut);
  HAWSER_ASSIGN(Buffer source, memory(gpu, pages * kPageBytes));
  HAWSER_ASSIGN(Buffer destination, memory(gpu, receives * kChunkBytes));
  const std::size_t list_bytes = receives * kMostFragments * sizeof(Fragment);
  HAWSER_ASSIGN(Buffer descriptors,
                gpu != nullptr ? Buffer::pinned(gpu, list_bytes) : Buffer::host(list_bytes));
  BouncePool pool(std::move(source), std::move(destination), std::move(descriptors));
  pool.cut_up(cut, receives);
  HAWSER_TRY(pool.source_.write(0, pool.source_bytes_));
  return pool;
}

void BouncePool::cut_up(Cut cut, std::size_t receives) {
  std::mt19937_64 random(11);
  source_bytes_.resize(source_.range().bytes);
  for (std::size_t i = 0; i + 8 <= source_bytes_.size(); i += 8) {
    const std::uint64_t value = random();
    std::memcpy(source_bytes_.data() + i, &value, 8);
  }
  std::vector<std::uint32_t> pages(source_bytes_.size() / kPageBytes);
  std::iota(pages.begin(), pages.end(), 0U);
  std::shuffle(pages.begin(), pages.end(), random);
  expected_.resize(receives * kChunkBytes);
  const std::size_t pages_each = pages_per_receive(cut);
  for (std::size_t receive = 0; receive < receives; ++receive) {
    auto* const list =
        reinterpret_cast<Fragment*>(descriptors_.range().at(0)) + receive * kMostFragments;
    std::size_t count = 0;
    for (std::size_t done = 0; done < kChunkBytes; ++count) {
      // The last pages take what is left, so that there are never too many.
      const std::size_t left = kChunkBytes - done;
      const std::size_t pages_left = pages_each - count;
      std::size_t bytes = std::min(left, piece_bytes(cut, random));
      if ((pages_left - 1) * kPageBytes < left - bytes || pages_left * 300 < left)
        bytes = std::min(left, kPageBytes);
      const std::size_t shift = cut == Cut::pages ? 0 : random() % (kPageBytes - bytes + 1);
      const std::size_t from = pages[receive * pages_each + count] * kPageBytes + shift;
      list[count] = {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(bytes), done};
      std::copy_n(source_bytes_.begin() + static_cast<std::ptrdiff_t>(from), bytes,
                  expected_.begin() + static_cast<std::ptrdiff_t>(receive * kChunkBytes + done));
      done += bytes;
    }
    std::shuffle(list, list + count, random);
    lists_.push_back({list, count});
  }
}

Fragments BouncePool::fragments(std::size_t receive) const {
  const MemoryRange& range = source_.range();
  return {range.at(0), range.kind, range.bytes, lists_[receive]};
}

Unpacker::Place BouncePool::place(std::size_t receive) const {
  const MemoryRange& range = destination_.range();
  return {range.at(receive * kChunkBytes), kChunkBytes,
          range.kind == MemoryKind::cuda ? Reach::gpu : Reach::pageable};
}

Status BouncePool::spoil() {
  return destination_.write(0, std::vector<std::byte>(bytes(), std::byte{0xdb}));
}

Status BouncePool::verify() const {
  std::vector<std::byte> got(bytes());
  HAWSER_TRY(destination_.read(0, got));
  const auto differ = std::mismatch(got.begin(), got.end(), expected_.begin());
  if (differ.first == got.end()) return {};
  return Error(Code::data, fmt::format("wrong byte at {}", differ.first - got.begin()));
}

}  // namespace hawser::bench
