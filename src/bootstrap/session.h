// One control connection between the two sides of a run, after its handshake.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "bootstrap/wire.h"
#include "control/line.h"
#include "control/pulse.h"

namespace hawser {

// Thread-safe. A thread of the session's own reads messages and hands them to the
// handler, one at a time, sends heartbeats, and finds out when the peer has gone: a closed or
// broken connection at once, a silent peer after `liveness`.
class Session {
 public:
  // Called in the session's thread, with no lock held; may call send() and refuse(). A
  // handler that takes longer than the peer's liveness makes this side look
  // dead. May be called before start() has returned. Both must be set.
  struct Handler {
    std::function<void(wire::Message)> on_message;  // never Hello, Plan, Heartbeat or Refuse
    // At most once, the last call. Code::peer: it closed, was killed, or refused (with its
    // reason); Code::timeout: silent; Code::protocol: it sent what no hawser sends.
    std::function<void(Error)> on_lost;
  };
  using Options = control::Pulse::Times;

  // Takes a line behind its handshake.
  static Result<std::unique_ptr<Session>> start(std::unique_ptr<control::Line> line,
                                                Options options, Handler handler);
  // Closes and joins. What send() has taken still reaches the peer if its machine acknowledges it
  // within kLinger. The handler is not called after it returns. Takes no longer than a running
  // call of the handler and kLinger. Never call it from the handler, or while another thread is
  // in a call of this object.
  ~Session();

  // Writes the whole message or fails, and ends the session, within the liveness bound.
  Status send(const wire::Message& message);
  // Says why this side gives up; the peer's on_lost gets the reason.
  void refuse(const std::string& reason);
  const std::string& peer() const;

  static constexpr Milliseconds kLinger{1000};

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hawser
