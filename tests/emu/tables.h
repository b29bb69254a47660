// What the host holds instead of pointers: numbers that look like pointers nobody may follow,
// so that a stale or invented one is recognised and not a crash.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace emu {

enum class Tag : std::uint64_t {
  listen_comm = 0x51,
  send_comm = 0x52,
  receive_comm = 0x53,
  registration = 0x54,
  send_request = 0x55,
  receive_request = 0x56,
};

inline constexpr int kTagShift = 56;

inline void* opaque(Tag tag, std::uint64_t number) {
  const std::uint64_t bits = static_cast<std::uint64_t>(tag) << kTagShift | number;
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(bits));
}

inline std::uint64_t number_of(const void* opaque_pointer) {
  return reinterpret_cast<std::uintptr_t>(opaque_pointer) & ((std::uint64_t{1} << kTagShift) - 1);
}

inline bool has_tag(const void* opaque_pointer, Tag tag) {
  return reinterpret_cast<std::uintptr_t>(opaque_pointer) >> kTagShift ==
         static_cast<std::uint64_t>(tag);
}

// A request's number: its comm's (24 bits), and its place in the comm's order (32 bits).
inline constexpr int kCommShift = 32;
inline void* opaque_request(Tag tag, std::uint64_t comm, std::uint32_t sequence) {
  return opaque(tag, comm << kCommShift | sequence);
}

// Live objects of one kind by number; numbers are never used again. Thread-safe.
template <typename T>
class Table {
 public:
  explicit Table(Tag tag) : tag_(tag) {}

  std::uint64_t reserve() { return next_.fetch_add(1); }
  void put(std::uint64_t number, std::shared_ptr<T> object) {
    const std::lock_guard lock(mutex_);
    objects_.emplace(number, std::move(object));
  }
  std::shared_ptr<T> find(const void* opaque_pointer) const {
    return has_tag(opaque_pointer, tag_) ? at(number_of(opaque_pointer)) : nullptr;
  }
  std::shared_ptr<T> at(std::uint64_t number) const {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(number);
    return found == objects_.end() ? nullptr : found->second;
  }
  void remove(const void* opaque_pointer) {
    const std::lock_guard lock(mutex_);
    objects_.erase(number_of(opaque_pointer));
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return objects_.size();
  }
  Tag tag() const { return tag_; }

 private:
  const Tag tag_;
  std::atomic<std::uint64_t> next_{1};
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<T>> objects_;  // under mutex_
};

// A comm belongs to one thread at a time: this notices a second one. The flag hands what
// the thread before wrote to the next.
class Use {
 public:
  explicit Use(std::atomic<bool>& in_use)
      : in_use_(in_use), mine_(!in_use.exchange(true, std::memory_order_acq_rel)) {}
  ~Use() {
    if (mine_) in_use_.store(false, std::memory_order_release);
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  explicit operator bool() const { return mine_; }

 private:
  std::atomic<bool>& in_use_;
  const bool mine_;
};

}  // namespace emu
