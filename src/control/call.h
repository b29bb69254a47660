// How a side reaches the one that listens: the other end of a Listener.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "control/line.h"

namespace hawser::control {

struct Call {
  std::string host;  // a name, or a number; its addresses are tried one after another
  std::uint16_t port = 0;
  const Protocol& protocol;
  std::vector<std::byte> hello;  // the first frame, which says who calls
  Deadline deadline;
  std::string listener;  // who should answer, in messages: "hawser server"
  std::string advice;    // what to look at where nobody does; a question
  // Asked several times a second while it waits; an error ends the call. May be empty.
  std::function<Status()> go_on;
};

// Judges the first frame of the answer. An error, as of a refusal, ends the call.
using Answered = std::function<Status(const Line& line, std::span<const std::byte> frame)>;

// Looks the host up, connects, says the first word and hears the answer. A name that is not known
// yet, a refused connection, an unreachable host or one that closes before it answers is tried
// again until the deadline (the server may start later): after 100 ms, then twice as long each
// time, at most a second. Bytes that no such listener sends (Code::protocol) end it. The error of a
// deadline (Code::timeout) tells the last cause. Looking a name up may outlast the deadline by what
// the machine's resolver takes.
Result<std::unique_ptr<Line>> call(const Call& call, const Answered& answered);

}  // namespace hawser::control
