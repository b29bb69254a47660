#include "base/event_fd.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace hawser {
namespace {

constexpr std::uint64_t kMost = ~std::uint64_t{0} - 1;  // that the counter holds

}  // namespace

Result<EventFd> EventFd::make() {
  UniqueFd fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd.valid()) return system_error(errno, "making an eventfd");
  return EventFd(std::move(fd));
}

void EventFd::notify() const {
  const std::uint64_t one = 1;
  // Fails only where the counter is full, and so readable already.
  [[maybe_unused]] const ssize_t written = ::write(fd_.get(), &one, sizeof one);
}

void EventFd::clear() const {
  std::uint64_t count = 0;
  // Fails only where the counter is 0 already.
  [[maybe_unused]] const ssize_t got = ::read(fd_.get(), &count, sizeof count);
}

void EventFd::fill() const {
  // Fails only where the counter is not 0: two that fill() at once, one of which does.
  [[maybe_unused]] const ssize_t written = ::write(fd_.get(), &kMost, sizeof kMost);
}

}  // namespace hawser
