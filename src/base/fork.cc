#include "base/fork.h"

#include <fmt/core.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace hawser {
namespace {

// A bit each, in memory that the kernel gives when it is first used. What has a higher number stays
// open in children.
constexpr std::size_t kMostDescriptors = 1 << 20;
constexpr std::size_t kBits = 64;
std::array<std::atomic<std::uint64_t>, kMostDescriptors / kBits> owned{};
std::atomic<std::size_t> words_used{0};

void close_owned() {
  const std::size_t words = words_used.load(std::memory_order_relaxed);
  for (std::size_t word = 0; word < words; ++word) {
    const std::uint64_t bits = owned[word].exchange(0, std::memory_order_relaxed);
    for (std::size_t bit = 0; bit < kBits; ++bit)
      if ((bits >> bit & 1) != 0) ::close(static_cast<int>(word * kBits + bit));
  }
}

// In the child, which has this thread only. The host's own errno is none of our business.
void after_fork() {
  const int before = errno;
  forks_so_far.fetch_add(1, std::memory_order_relaxed);
  close_owned();
  errno = before;
}

// Goes with the library where that is unloaded: glibc ties it to it. Without memory for it children
// know nothing of this, as if by a bare clone().
[[maybe_unused]] const int registered = ::pthread_atfork(nullptr, nullptr, &after_fork);

}  // namespace

Error inherited_error(std::string_view what) {
  return Error(
      Code::invalid_argument,
      fmt::format("{} was made before fork(), and is the parent's alone: make a new engine "
                  "in the child",
                  what));
}

namespace own_descriptors {

void add(int fd) {
  const auto number = static_cast<std::size_t>(fd);
  if (number >= kMostDescriptors) return;
  const std::size_t word = number / kBits;
  owned[word].fetch_or(std::uint64_t{1} << number % kBits, std::memory_order_relaxed);
  std::size_t used = words_used.load(std::memory_order_relaxed);
  while (used <= word &&
         !words_used.compare_exchange_weak(used, word + 1, std::memory_order_relaxed)) {
  }
}

void remove(int fd) {
  const auto number = static_cast<std::size_t>(fd);
  if (number < kMostDescriptors)
    owned[number / kBits].fetch_and(~(std::uint64_t{1} << number % kBits),
                                    std::memory_order_relaxed);
}

}  // namespace own_descriptors
}  // namespace hawser
