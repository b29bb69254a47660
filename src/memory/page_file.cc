#include "memory/page_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <utility>

#include "base/log.h"
#include "base/without_memory.h"
#include "memory/range.h"

namespace hawser {

// Beyond a limit of file sizes the kernel sends a signal, which is not ours to catch.
Result<std::shared_ptr<PageFile>> PageFile::create() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY)
    return Error(Code::unavailable, "this process may only make files up to a limit (ulimit -f)");
  UniqueFd fd(::memfd_create("hawser-copies", MFD_CLOEXEC));
  if (!fd.valid()) return system_error(errno, "making memory that is a file");
  return std::shared_ptr<PageFile>(new PageFile(std::move(fd)));
}

std::shared_ptr<PageFile> PageFile::create_if_possible() {
  auto made = create();
  if (made.ok()) return *std::move(made);
  log_info("goes on with slower copies: {}", made.error().message());
  return nullptr;
}

Result<std::unique_ptr<FilePages>> PageFile::allocate(std::size_t bytes) {
  const std::size_t whole = (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  HAWSER_ASSIGN(const off_t at, take(whole));
  void* const data =
      ::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd(), at);
  if (data == MAP_FAILED) {
    const int err = errno;
    give_back(at, whole);
    return system_error(err, fmt::format("mapping {} bytes", whole));
  }
  return std::unique_ptr<FilePages>(
      new FilePages(shared_from_this(), static_cast<std::byte*>(data), whole, at));
}

Result<off_t> PageFile::take(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (const auto same = free_.find(bytes); same != free_.end()) {
    const off_t at = same->second;
    free_.erase(same);
    return at;
  }
  const off_t end = end_ + static_cast<off_t>(bytes);
  if (::ftruncate(fd(), end) != 0)
    return system_error(errno, fmt::format("making {} bytes of memory", bytes));
  return std::exchange(end_, end);
}

// A place that there is no memory to remember is lost. What lies in it goes in any case.
void PageFile::give_back(off_t at, std::size_t bytes) {
  static_cast<void>(
      ::fallocate(fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, static_cast<off_t>(bytes)));
  unless_out_of_memory([&] {
    const std::lock_guard lock(mutex_);
    free_.emplace(bytes, at);
  });
}

FilePages::~FilePages() {
  ::munmap(data_, bytes_);
  file_->give_back(at_, bytes_);
}

bool FilePages::holds(const void* first, std::size_t bytes) const {
  const auto* const from = static_cast<const std::byte*>(first);
  const std::less_equal<const std::byte*> not_behind;
  return not_behind(data_, from) && not_behind(from, data_ + bytes_) &&
         bytes <= static_cast<std::size_t>(data_ + bytes_ - from);
}

}  // namespace hawser
