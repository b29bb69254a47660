#include "net/hosted/whole_pages.h"

#include <fmt/core.h>

#include <span>

#include "gpu/gpu.h"

namespace hawser {
namespace {

Error not_whole(const MemoryRange& range, std::string_view why) {
  return Error(
      Code::unavailable,
      fmt::format("GPU memory is registered in whole pages of {} bytes, and {} bytes at {} "
                  "{}: stage it, or allocate it by itself",
                  kPageBytes, range.bytes, range.data, why));
}

}  // namespace

Result<MemoryRange> whole_pages(const MemoryRange& range, const Gpu* gpu) {
  const std::size_t before = range.address() % kPageBytes;
  const std::size_t bytes = (before + range.bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  const MemoryRange pages{range.at(0) - before, bytes, range.kind, range.gpu};
  if (gpu == nullptr) {
    if (before != 0) return not_whole(range, "begin inside of a page");
    return pages;
  }
  HAWSER_ASSIGN(const std::span<std::byte> allocation, gpu->allocation_of(range.data));
  if (pages.at(0) < allocation.data())
    return not_whole(range, "begin in a page where another allocation may end");
  if (range.at(range.bytes) > allocation.data() + allocation.size())
    return not_whole(range, "reach beyond the allocation they begin in");
  return pages;
}

}  // namespace hawser
