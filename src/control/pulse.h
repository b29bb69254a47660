// Keeps a line alive, and finds out when its other end is not.
#pragma once

#include <cstddef>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "control/line.h"

namespace hawser::control {

// For the thread that reads the line. Any byte that comes is a sign of life.
class Pulse {
 public:
  struct Times {
    Milliseconds heartbeat{1000};  // between ours; less than the peer's liveness
    Milliseconds liveness{10000};  // silence longer than this is a dead peer
  };
  // `beat` is a frame that says that this side is here, and nothing else.
  Pulse(Line& line, Times times, std::vector<std::byte> beat)
      : line_(line), times_(times), beat_(std::move(beat)), beat_at_(line.heard_at()) {}

  // Sends a beat where one is due and nothing else waits to be sent. Code::timeout: the peer has
  // been silent for too long.
  Status check(TimePoint now);
  // When check() has something to do again, for poll(2); at most `most`.
  int timeout_ms(TimePoint now, int most) const;

 private:
  Line& line_;
  const Times times_;
  const std::vector<std::byte> beat_;
  TimePoint beat_at_;
};

}  // namespace hawser::control
