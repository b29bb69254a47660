// Threads of ours that get no memory, when a test says so.
#pragma once

#include <cstddef>

namespace hawser::test {

// While it lives, of the allocations by operator new in threads whose name begins with "hw-" the
// one with that number (0: the next) and the `count` - 1 after it fail. One at a time.
class FailingMemory {
 public:
  FailingMemory(std::size_t number, std::size_t count);
  ~FailingMemory();
  FailingMemory(const FailingMemory&) = delete;
  FailingMemory& operator=(const FailingMemory&) = delete;
  std::size_t failed() const;
};

}  // namespace hawser::test
