// A sliding window: a FIFO of fixed capacity whose entries pass from one stage to the next in
// order.
#pragma once

#include <cstddef>
#include <vector>

namespace hawser {

// A pure structure: not thread-safe, allocates once. Positions count from the window's
// birth, so an entry keeps its position while others come and go.
template <class T>
class SlidingWindow {
 public:
  explicit SlidingWindow(std::size_t capacity) : entries_(capacity) {}

  std::size_t capacity() const { return entries_.size(); }
  std::size_t size() const { return end_ - begin_; }
  bool full() const { return size() == capacity(); }
  bool empty() const { return begin_ == end_; }

  std::size_t begin() const { return begin_; }  // position of the oldest
  std::size_t end() const { return end_; }      // position the next push gets

  // None may be called out of turn: push on a full window, pop or drop on an empty one.
  T& push() { return entries_[end_++ % entries_.size()]; }
  void pop() { ++begin_; }
  void drop_newest() { --end_; }

  T& at(std::size_t position) { return entries_[position % entries_.size()]; }
  T& oldest() { return at(begin_); }

 private:
  std::vector<T> entries_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace hawser
