// A queue of fixed capacity, for the data path: it never allocates.
#pragma once

#include <array>
#include <cstddef>

namespace hawser::plugin {

// push() needs !full(), front() and pop() need !empty(). Not thread-safe.
template <class T, std::size_t kCapacity>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == kCapacity; }
  std::size_t size() const { return size_; }

  void push(const T& value) { at_[(first_ + size_++) % kCapacity] = value; }
  T& front() { return at_[first_]; }
  T& operator[](std::size_t i) { return at_[(first_ + i) % kCapacity]; }
  void pop() {
    first_ = (first_ + 1) % kCapacity;
    --size_;
  }
  void erase(std::size_t i) {  // i < size(); the others keep their order
    for (; i > 0; --i) (*this)[i] = (*this)[i - 1];
    pop();
  }

 private:
  std::array<T, kCapacity> at_{};
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace hawser::plugin
