// One control connection between the two sides of a run, after its handshake.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "bootstrap/wire.h"

namespace hawser {

// Thread-safe. A thread of the session's own reads messages and hands them to the
// handler, one at a time, sends heartbeats, and finds out when the peer has gone: a closed or
// broken connection at once, a silent peer after `liveness`.
class Session {
 public:
  struct Handler {
    std::function<void(wire::Message)> on_message;  // never Heartbeat, never Refuse
    std::function<void(Error)> on_lost;             // at most once, the last call
  };
  struct Options {
    Milliseconds heartbeat{1000};
    Milliseconds liveness{10000};  // silence longer than this is a dead peer
  };

  // Takes a connected socket; `left_over` are bytes already read behind the handshake.
  static Result<std::unique_ptr<Session>> start(UniqueFd socket, std::string peer,
                                                wire::Decoder decoder, Options options,
                                                Handler handler);
  // Closes and joins. The handler is not called after it returns. Never call it from the handler.
  ~Session();

  // Writes the whole message or fails within the liveness bound.
  Status send(const wire::Message& message);
  // Says why this side gives up; the peer's on_lost gets the reason.
  void refuse(const std::string& reason);
  // From now on, the peer's closing is no loss: the run has ended well.
  void expect_close();
  const std::string& peer() const;

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hawser
