// A file descriptor with one owner.
#pragma once

#include <cstdint>
#include <utility>

#include "base/fork.h"

namespace hawser {

// Closes the descriptor when it goes. Never 0 to 2, which are standard input and output, also where
// the program was started without them: one that the kernel numbered so gets another number, or,
// where there is none, is closed, with errno EMFILE. In a child of fork() it is closed already, and
// its copies hold none. Move-only; not thread-safe.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) { adopt(fd); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)), mark_(other.mark_) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd() { reset(); }

  int get() const { return mark_.inherited() ? -1 : fd_; }
  bool valid() const { return get() >= 0; }
  int release();
  void reset(int fd = -1);

 private:
  void adopt(int fd);

  int fd_ = -1;
  ForkMark mark_;  // of the process that has it
};

// For programs of ours, before they open anything: where one of 0 to 2 is closed, a descriptor
// takes its number that can be neither read nor written to any effect, so that no file or socket of
// anybody's gets what is printed.
void reserve_standard_streams();

// How many descriptors this process may have: `ulimit -n`.
std::uint64_t descriptor_limit();

}  // namespace hawser
