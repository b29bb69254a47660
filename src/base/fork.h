// What a child of fork() finds of ours: a copy of the memory, and nothing of what it stands for.
// Its threads are not there, locks may be held by them for ever, connections are its parent's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace hawser {

// How many forks this process is away from the one that loaded this library. Changes in a child
// alone, before fork() returns there, while it has one thread: publishes nothing, orders nothing.
inline std::atomic<std::uint32_t> forks_so_far{0};

// Which process made an object, for its copies in children to know that they are copies. A value.
class ForkMark {
 public:
  // True: this process is a child of the one that made it.
  bool inherited() const { return made_ != forks_so_far.load(std::memory_order_relaxed); }

 private:
  std::uint32_t made_ = forks_so_far.load(std::memory_order_relaxed);
};

// What calls on a copy in a child give: Code::invalid_argument. `what`: "this link".
Error inherited_error(std::string_view what);

// A member that a child leaves as it is, since to destroy it is not safe there: a condition
// variable waits for waiters that are not there, a callback may have been half moved.
template <class T>
class LeftInChildren {
 public:
  LeftInChildren() : value_() {}
  ~LeftInChildren() {
    if (!mark_.inherited()) value_.~T();
  }
  LeftInChildren(const LeftInChildren&) = delete;
  LeftInChildren& operator=(const LeftInChildren&) = delete;

  T& operator*() { return value_; }
  T* operator->() { return &value_; }

 private:
  union {
    T value_;
  };
  const ForkMark mark_;
};

// As std::make_shared(), of an object that a child leaves as it is, its memory included: whatever
// its destructor would say or wait for is the parent's.
template <class T>
class AllocatorOfOneProcess {
 public:
  using value_type = T;
  AllocatorOfOneProcess() = default;
  template <class U>
  AllocatorOfOneProcess(const AllocatorOfOneProcess<U>& other) : mark_(other.mark()) {}

  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* at, std::size_t count) {
    if (!mark_.inherited()) std::allocator<T>().deallocate(at, count);
  }
  template <class U>
  void destroy(U* object) {
    if (!mark_.inherited()) object->~U();
  }
  ForkMark mark() const { return mark_; }
  bool operator==(const AllocatorOfOneProcess&) const { return true; }

 private:
  ForkMark mark_;
};

template <class T, class... Args>
std::shared_ptr<T> make_shared_of_one_process(Args&&... args) {
  return std::allocate_shared<T>(AllocatorOfOneProcess<T>(), std::forward<Args>(args)...);
}

// The same for one that is made already.
template <class T>
std::shared_ptr<T> share_in_one_process(T* object) {
  return std::shared_ptr<T>(object, [mark = ForkMark()](T* last) {
    if (!mark.inherited()) delete last;
  });
}

// Descriptors that a child must not keep open: a socket lives as long as anybody has it, and the
// peer of a process that was killed would hear nothing of that while a child lives. They are closed
// in a child before fork() returns there. Async-signal-safe. Not found out about: one that another
// thread was just making or closing when it forked.
namespace own_descriptors {
void add(int fd);
void remove(int fd);
}  // namespace own_descriptors

}  // namespace hawser
