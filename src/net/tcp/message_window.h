// The messages in flight on one comm: a fixed number of places, taken in posting order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "net/net.h"

namespace hawser::tcp {

inline constexpr std::size_t kMaxRequests = 32;

// What all messages have. The n-th message of a comm has the sequence n, modulo 2^32, and the place
// n % kMaxRequests: a place whose last message has not been tested to its end is not free.
struct MessageBase : Request {
  std::uint32_t sequence = 0;
  bool taken = false;  // of the caller's thread
};

// A Message derives from MessageBase. push(), find() and release() are for the caller's thread;
// at() for whoever has learnt of that sequence from it. Never allocates.
template <class Message>
class MessageWindow {
 public:
  // The next place, taken, with its sequence; nullptr: it is not free. The rest of the message is
  // as it was left.
  Message* push() {
    Message& message = at(next_);
    if (message.taken) return nullptr;
    message.taken = true;
    message.sequence = next_++;
    ++in_flight_;
    return &message;
  }

  std::size_t in_flight() const { return in_flight_; }
  Message& at(std::uint32_t sequence) { return places_[sequence % kMaxRequests]; }

  // The message in flight that `request` stands for; nullptr: none. By arithmetic on the address,
  // so that any pointer may be asked about.
  Message* find(const Request* request) {
    const auto base = reinterpret_cast<std::uintptr_t>(static_cast<Request*>(&places_[0]));
    const auto offset = reinterpret_cast<std::uintptr_t>(request) - base;
    if (offset % sizeof(Message) != 0 || offset / sizeof(Message) >= kMaxRequests) return nullptr;
    Message& message = places_[offset / sizeof(Message)];
    return message.taken ? &message : nullptr;
  }
  void release(Message& message) {
    message.taken = false;
    --in_flight_;
  }

 private:
  std::array<Message, kMaxRequests> places_{};
  std::uint32_t next_ = 0;
  std::size_t in_flight_ = 0;
};

}  // namespace hawser::tcp
