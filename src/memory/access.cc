#include "memory/access.h"

#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

namespace hawser {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

enum class There { yes, no, unknown };

constexpr int kAttempts = 100;  // where signals interrupt them

struct Pages {
  std::uintptr_t begin, end;
  void* at() const { return reinterpret_cast<void*>(begin); }
  std::size_t bytes() const { return end - begin; }
};

Pages pages_of(std::uintptr_t from, std::size_t bytes) {
  const auto page = static_cast<std::uintptr_t>(::getpagesize());
  return {from / page * page, (from + bytes + page - 1) / page * page};
}

// Unknown: an old kernel, a mapping of a device, or one that is not for that.
There populate(const Pages& pages, Access access) {
  const int advice = access == Access::read ? MADV_POPULATE_READ : MADV_POPULATE_WRITE;
  int err = EINTR;
  for (int i = 0; i < kAttempts && (err == EINTR || err == EAGAIN); ++i)
    err = ::madvise(pages.at(), pages.bytes(), advice) == 0 ? 0 : errno;
  if (err == 0) return There::yes;
  return err == EFAULT || err == ENOMEM || err == EHWPOISON ? There::no : There::unknown;
}

Error refused(const MemoryRange& range, std::uintptr_t at, const char* what) {
  return Error(Code::invalid_argument,
               fmt::format("{} bytes at {}: at 0x{:x} {}", range.bytes, range.data, at, what));
}

// By the list of mappings: exact, and as long as that list.
Status check_mapped(const MemoryRange& range, Access access) {
  const std::unique_ptr<std::FILE, CloseFile> maps(std::fopen("/proc/self/maps", "re"));
  if (maps == nullptr) return {};
  std::uintptr_t next = range.address();
  const std::uintptr_t end = next + range.bytes;
  unsigned long from = 0, to = 0;
  char may_read = 0, may_write = 0;
  while (next < end &&
         std::fscanf(maps.get(), "%lx-%lx %c%c%*[^\n]", &from, &to, &may_read, &may_write) == 4) {
    if (to <= next) continue;
    if (from > next) break;
    if (may_read != 'r') return refused(range, next, "it cannot be read");
    if (access == Access::write && may_write != 'w')
      return refused(range, next, "it cannot be written");
    next = to;
  }
  if (next >= end) return {};
  return refused(range, next,
                 "nothing is mapped; if it is a GPU's memory, this process lacks its driver");
}

}  // namespace

Status check_registrable(const MemoryRange& range, Access access) {
  if (range.bytes == 0) return {};
  const Pages all = pages_of(range.address(), range.bytes);
  // Which does nothing but look whether there are mappings.
  const bool whole = ::msync(all.at(), all.bytes(), MS_ASYNC) == 0 || errno != ENOMEM;
  const There first = populate(pages_of(range.address(), 1), access);
  const There last = populate(pages_of(range.address() + range.bytes - 1, 1), access);
  if (whole && first == There::yes && last == There::yes) return {};
  HAWSER_TRY(check_mapped(range, access));
  if (first != There::no && last != There::no) return {};
  return refused(range, first == There::no ? range.address() : range.address() + range.bytes - 1,
                 "it is mapped, and has no memory: is the file behind it shorter?");
}

Status check_writable(const MemoryRange& range) {
  if (range.bytes == 0) return {};
  switch (populate(pages_of(range.address(), range.bytes), Access::write)) {
    case There::yes:
      return {};
    case There::no:
      return cannot_touch(range.data, range.bytes, Access::write);
    case There::unknown:
      break;
  }
  return check_mapped(range, Access::write);
}

Error cannot_touch(const void* at, std::size_t bytes, Access access) {
  return Error(Code::invalid_argument,
               fmt::format("{} bytes at {} cannot be {}: they are not mapped any more, or not for "
                           "that",
                           bytes, at, access == Access::read ? "read" : "written"));
}

}  // namespace hawser
