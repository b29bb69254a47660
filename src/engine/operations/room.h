// Of how many things the two sides of a link have room for: counts from the link's beginning that
// only grow, so that word of them may be lost, come twice, or come late.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "engine/wire.h"

namespace hawser::engine {

// What whoever gets it keeps until somebody has taken it: a message for a receive, a read until its
// data is there, a notification for the user. More than there is room for waits where it was asked.
enum class Kept { message, read, notification };
inline constexpr Kept kAllKept[] = {Kept::message, Kept::read, Kept::notification};

template <class T>
class OfEachKept {
 public:
  T& operator[](Kept kind) { return all_[static_cast<std::size_t>(kind)]; }
  const T& operator[](Kept kind) const { return all_[static_cast<std::size_t>(kind)]; }
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }

 private:
  std::array<T, std::size(kAllKept)> all_{};
};

inline OfEachKept<std::uint64_t> counts_of(const wire::Room& room) {
  OfEachKept<std::uint64_t> counts;
  counts[Kept::message] = room.messages;
  counts[Kept::read] = room.reads;
  counts[Kept::notification] = room.notifications;
  return counts;
}

inline wire::Room room_of(const OfEachKept<std::uint64_t>& counts) {
  return {counts[Kept::message], counts[Kept::read], counts[Kept::notification]};
}

// Of this side, for what the peer sends. Not thread-safe; a value.
class RoomHere {
 public:
  explicit RoomHere(const wire::Room& most) : most_(counts_of(most)), told_(most_) {}

  // One has come. False: the peer has no word that there is room for it.
  bool take(Kept kind) {
    if (left(kind) == 0) return false;
    ++taken_[kind];
    return true;
  }
  // It needs no room any more.
  void give_back(Kept kind) { ++given_back_[kind]; }
  // So many the peer may still send, as far as it was told.
  std::uint64_t left(Kept kind) const { return told_[kind] - taken_[kind]; }
  // There is as much that the peer does not know of as it has left: seldom while it has much, at
  // once where it may be waiting.
  bool worth_telling(Kept kind) const {
    const std::uint64_t untold = given_back_[kind] + most_[kind] - told_[kind];
    return untold > 0 && untold >= left(kind);
  }
  wire::Room to_tell() const {
    OfEachKept<std::uint64_t> all;
    for (const Kept kind : kAllKept) all[kind] = given_back_[kind] + most_[kind];
    return room_of(all);
  }
  // It has been told, or will be.
  void told() { told_ = counts_of(to_tell()); }

 private:
  OfEachKept<std::uint64_t> most_, told_, taken_, given_back_;
};

// At the peer, for what this side sends. Not thread-safe; a value.
class RoomThere {
 public:
  explicit RoomThere(const wire::Room& granted) : granted_(counts_of(granted)) {}

  std::uint64_t left(Kept kind) const { return granted_[kind] - used_[kind]; }
  bool take(Kept kind) {
    if (left(kind) == 0) return false;
    ++used_[kind];
    return true;
  }
  // What it was taken for is not sent after all.
  void give_back(Kept kind) { --used_[kind]; }
  // The peer's word, perhaps an old one.
  void grant(const wire::Room& room) {
    const OfEachKept<std::uint64_t> counts = counts_of(room);
    for (const Kept kind : kAllKept) granted_[kind] = std::max(granted_[kind], counts[kind]);
  }

 private:
  OfEachKept<std::uint64_t> granted_, used_;
};

}  // namespace hawser::engine
