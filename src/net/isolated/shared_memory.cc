#include "net/isolated/shared_memory.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace hawser::isolate {

Result<std::unique_ptr<SharedMemory>> SharedMemory::create(const char* name, std::size_t bytes) {
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid() || ::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0 ||
      ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return system_error(errno, fmt::format("making {} bytes of shared memory", bytes));
  return map(std::move(fd), bytes);
}

Result<std::unique_ptr<SharedMemory>> SharedMemory::open(UniqueFd fd, std::size_t least_bytes) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return system_error(errno, "looking at shared memory");
  const auto bytes = static_cast<std::size_t>(status.st_size);
  if (bytes < least_bytes)
    return Error(Code::protocol,
                 fmt::format("shared memory of {} bytes, want {}", bytes, least_bytes));
  return map(std::move(fd), bytes);
}

Result<std::unique_ptr<SharedMemory>> SharedMemory::map(UniqueFd fd, std::size_t bytes) {
  void* const data =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd.get(), 0);
  if (data == MAP_FAILED)
    return system_error(errno, fmt::format("mapping {} bytes of shared memory", bytes));
  return std::unique_ptr<SharedMemory>(
      new SharedMemory(std::move(fd), static_cast<std::byte*>(data), bytes));
}

SharedMemory::~SharedMemory() {
  ::munmap(data_, bytes_);
}

}  // namespace hawser::isolate
