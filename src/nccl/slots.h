// A fixed number of objects to lend out, for the data path: it never allocates.
#pragma once

#include <array>
#include <cstddef>

namespace hawser::plugin {

// Objects are lent in no particular order. Not thread-safe.
template <class T, std::size_t kCount>
class Slots {
 public:
  Slots() {
    for (std::size_t i = 0; i < kCount; ++i) free_[i] = &all_[kCount - 1 - i];
  }

  bool empty() const { return free_count_ == 0; }
  T* take() { return empty() ? nullptr : free_[--free_count_]; }
  void give_back(T* object) { free_[free_count_++] = object; }
  std::size_t lent() const { return kCount - free_count_; }

 private:
  std::array<T, kCount> all_{};
  std::array<T*, kCount> free_{};
  std::size_t free_count_ = kCount;
};

}  // namespace hawser::plugin
