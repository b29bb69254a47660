// Who comes to a port of ours: callers side by side, until each has said its first word.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/log_limiter.h"
#include "base/result.h"
#include "control/line.h"

namespace hawser::control {

// Sorts callers: whoever sends a whole frame is decided about; whoever sends what is none, closes,
// or takes longer than kHandshake is sent away, with a refusal where it can read one and a line in
// the log: one for each kind of them, and how many more in a minute. None of them holds up another.
// At most kMaxCallers at a time: where more come, one gives way of the address that has most of
// them, the oldest that has said nothing. For one thread at a time; never blocks.
class Listener {
 public:
  struct Port {
    UniqueFd socket;
    int number = 0;  // for the decision to know who came where
  };
  struct Options {
    std::string name;                        // of the port, in log lines: "0.0.0.0:20000"
    LogLevel strangers = LogLevel::warning;  // how loud the line is about those who are no hawser
  };
  // Decides about a caller's first frame, and takes the line where it is good. An error: its
  // message is the refusal.
  using Decide = std::function<Status(std::unique_ptr<Line>& line, std::span<const std::byte> frame,
                                      int port)>;

  Listener(std::vector<Port> ports, const Protocol& protocol, Options options)
      : ports_(std::move(ports)), protocol_(protocol), options_(std::move(options)) {}

  bool open() const { return !ports_.empty(); }
  const std::vector<Port>& ports() const { return ports_; }
  std::uint64_t refused() const { return refused_; }

  // What to wait for before the next poll(), and for how long at most.
  void interests(std::vector<pollfd>& into) const;
  int timeout_ms(int most) const;
  // Hears who is there, then lets in who has come.
  void poll(const Decide& decide);
  // Refuses whoever is there or has just come, and gives the ports up.
  void close(const std::string& reason);
  // The same without a word.
  void close();

  static constexpr std::size_t kMaxCallers = 64;
  static constexpr Milliseconds kHandshake{5000};

 private:
  struct Caller {
    std::unique_ptr<Line> line;  // none: it was taken, or has gone
    IpAddress from;
    int port = 0;
    Deadline until = Deadline::after(kHandshake);
  };

  void admit_from(const Port& port, const Decide& decide);
  void rest(int err);
  void make_room();
  void hear(Caller& caller, const Decide& decide);
  void turn_away(Caller& caller, std::string_view reason, bool tell, LogLevel level);
  void sweep();

  std::vector<Port> ports_;
  const Protocol& protocol_;
  const Options options_;
  StrangerLog log_;
  std::vector<Caller> callers_;
  Deadline accept_again_ = Deadline::after(Milliseconds::zero());
  bool resting_ = false;  // there were no descriptors
  std::uint64_t refused_ = 0;
};

}  // namespace hawser::control
