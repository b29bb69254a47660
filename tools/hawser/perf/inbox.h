// What the other side of a measurement has said and nobody has read yet.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "bootstrap/wire.h"

namespace hawser {

// Thread-safe: the control connection's thread writes, the measuring one waits. Bounded: both
// sides know whose turn it is, so who says more than kMaxUnread messages is no hawser.
class Inbox {
 public:
  static constexpr std::size_t kMaxUnread = wire::kMaxChannels + 16;

  void on_message(wire::Message message);
  void on_lost(const Error& error);

  // The next message, which must be a T. What came before the peer was lost is still given out.
  template <class T>
  Result<T> wait(const Deadline& deadline, std::string_view what) {
    HAWSER_ASSIGN(wire::Message message, next(deadline, what));
    if (auto* wanted = std::get_if<T>(&message)) return std::move(*wanted);
    return unexpected(message, what);
  }

  // Why the work at hand cannot go on: the peer said that its part failed, or is gone.
  std::optional<Error> broken() const;

 private:
  Result<wire::Message> next(const Deadline& deadline, std::string_view what);
  static Error unexpected(const wire::Message& message, std::string_view what);

  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::deque<wire::Message> unread_;
  std::optional<Error> failed_;
  std::optional<Error> lost_;
};

}  // namespace hawser
