#include "socket_choices/memory.h"

#include <fmt/core.h>
#include <sys/mman.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <span>

#include "memory/pattern.h"
#include "perf/sizes.h"

namespace hawser::bench {
namespace {

constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

std::size_t round_up(std::size_t bytes) {
  return (bytes + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
}

// An anonymous mapping that starts on a huge page's boundary: one larger, its ends given back.
Result<std::byte*> map_aligned(std::size_t bytes) {
  void* const mapped = ::mmap(nullptr, bytes + kHugePageBytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED)
    return system_error(errno, fmt::format("mapping {}", size_text(bytes + kHugePageBytes)));
  auto* const start = static_cast<std::byte*>(mapped);
  const std::size_t excess = reinterpret_cast<std::uintptr_t>(mapped) % kHugePageBytes;
  const std::size_t before = excess == 0 ? 0 : kHugePageBytes - excess;
  if (before > 0) ::munmap(start, before);
  ::munmap(start + before + bytes, kHugePageBytes - before);
  return start + before;
}

// Whether a line of smaps begins a mapping that `address` lies in.
bool begins_mapping_of(const std::string& line, std::uintptr_t address) {
  std::uintptr_t first = 0;
  std::uintptr_t end = 0;
  return std::sscanf(line.c_str(), "%lx-%lx ", &first, &end) == 2 && first <= address &&
         address < end;
}

std::size_t kib_of(const std::string& line) {
  std::size_t kib = 0;
  const std::size_t at = line.find_first_of("0123456789");
  if (at != std::string::npos) std::from_chars(line.data() + at, line.data() + line.size(), kib);
  return kib;
}

}  // namespace

Result<std::unique_ptr<Block>> Block::map(std::size_t bytes, Pages pages) {
  HAWSER_ASSIGN(std::byte* const data, map_aligned(round_up(bytes)));
  std::unique_ptr<Block> block(new Block(data, round_up(bytes)));
  const int advice = pages == Pages::huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
  // A kernel without huge pages has normal ones: only the other wish can fail.
  if (::madvise(data, block->bytes(), advice) != 0 && pages == Pages::huge)
    return Error(Code::unavailable, system_error(errno, "asking for huge pages").message());
  fill_pattern({}, 0, std::span(data, block->bytes()));
  return block;
}

Block::~Block() {
  ::munmap(data_, bytes_);
}

std::size_t Block::huge_bytes() const {
  std::ifstream smaps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    if (begins_mapping_of(line, reinterpret_cast<std::uintptr_t>(data_))) inside = true;
    if (inside && line.starts_with("AnonHugePages:")) return kib_of(line) * 1024;
  }
  return 0;
}

Result<const Block*> Memory::at_least(std::size_t bytes, Pages pages) {
  std::unique_ptr<Block>& block = blocks_[static_cast<std::size_t>(pages)];
  if (!block || block->bytes() < bytes) {
    block.reset();
    HAWSER_ASSIGN(block, Block::map(bytes, pages));
  }
  return block.get();
}

std::string pages_note(const Block& block, Pages pages) {
  if (pages == Pages::normal) return "";
  return fmt::format("huge pages: {} of {}", size_text(block.huge_bytes()),
                     size_text(block.bytes()));
}

}  // namespace hawser::bench
