#include "base/fd.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

namespace hawser {
namespace {

constexpr int kFirstOwn = 3;

int away_from_standard_streams(int fd) {
  const int moved = ::fcntl(fd, F_DUPFD_CLOEXEC, kFirstOwn);
  ::close(fd);
  if (moved < 0) errno = EMFILE;  // where the limit is 3 the kernel calls it EINVAL
  return moved;
}

}  // namespace

void UniqueFd::adopt(int fd) {
  fd_ = fd >= 0 && fd < kFirstOwn ? away_from_standard_streams(fd) : fd;
  mark_ = ForkMark();
  if (fd_ >= 0) own_descriptors::add(fd_);
}

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this == &other) return *this;
  reset();
  fd_ = std::exchange(other.fd_, -1);
  mark_ = other.mark_;
  return *this;
}

int UniqueFd::release() {
  const int fd = get();
  fd_ = -1;
  if (fd >= 0) own_descriptors::remove(fd);
  return fd;
}

// Forgotten before it is closed: afterwards the number may be somebody else's at once.
void UniqueFd::reset(int fd) {
  if (const int old = release(); old >= 0) ::close(old);
  if (fd >= 0) adopt(fd);
}

// For reading only: whoever prints is told that it went nowhere, as before.
void reserve_standard_streams() {
  for (int fd = 0; fd < kFirstOwn; ++fd)
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) ::open("/dev/null", O_RDONLY);
}

std::uint64_t descriptor_limit() {
  rlimit limit{};
  const bool known = ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return known ? limit.rlim_cur : std::numeric_limits<std::uint64_t>::max();
}

}  // namespace hawser
