// The control connection of a link: set-up, liveness, and news of channels where no channel is
// left.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "engine/wire.h"

namespace hawser::engine {

// A connected socket that speaks frames. send() and shut() from any thread, the rest from the one
// that reads it. Never blocks.
class ControlLine {
 public:
  ControlLine(UniqueFd socket, std::string peer);

  int fd() const { return socket_.get(); }
  const std::string& peer() const { return peer_; }
  TimePoint heard_at() const { return heard_at_.load(std::memory_order_relaxed); }  // any thread

  // What cannot be sent at once waits, for flush(); a line that is broken says so when it is read.
  void send(const wire::Record& record);
  void flush();
  bool wants_to_write() const;

  // Reads what is there, and gives each record to `take`, which may refuse it. An error ends the
  // line: the peer closed it, or sent what no hawser sends.
  Status read(const std::function<Status(const wire::Record&)>& take);
  // Whether anything has come, and whether it looked like a hawser's.
  bool silent() const { return received_ == 0; }
  // The peer reads an end; so does this side.
  void shut();

 private:
  static constexpr std::size_t kMaxUnsent = 1 << 20;

  Status take_frames(const std::function<Status(const wire::Record&)>& take);
  void push();

  const UniqueFd socket_;
  const std::string peer_;
  std::atomic<TimePoint> heard_at_;
  std::vector<std::byte> incoming_;
  std::size_t received_ = 0;
  mutable std::mutex mutex_;  // guards what follows
  std::vector<std::byte> unsent_;
};

}  // namespace hawser::engine
