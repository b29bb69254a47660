// What the two processes say to each other beside the socket that is measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace hawser::bench {

// Both processes are one program, one forked from the other: these travel as they lie in memory.
enum class Order : std::uint32_t {
  listen,  // as `variant` wants it, for messages of `message_bytes`; the reply has the port
  accept,  // the connection from `port`
  run,     // `messages`, over that connection; the reply comes when they have passed
  close,   // that connection; no reply
};

struct Command {
  Order order = Order::close;
  std::uint32_t variant = 0;  // its index in the survey
  std::uint64_t message_bytes = 0;
  std::uint64_t messages = 0;
  std::uint16_t port = 0;
};

struct Reply {
  bool ok = true;
  Code code = Code::internal;  // where not ok
  std::uint16_t port = 0;
  std::uint64_t cpu_ns = 0;
  char text[256] = {};  // ends in a zero: an error's message, or a note

  static Reply failed(const Error& error);
  void say(std::string_view what);
  Status status() const;
};

// One end of a pair that keeps messages whole. Of one thread.
class Control {
 public:
  static Result<std::pair<Control, Control>> make_pair();
  explicit Control(UniqueFd fd) : fd_(std::move(fd)) {}

  Status send(const Command& command) { return send_bytes(&command, sizeof command); }
  Status send(const Reply& reply) { return send_bytes(&reply, sizeof reply); }
  // Code::peer: the other process has ended. Code::timeout: it says nothing.
  Status receive(Command& command, const Deadline& deadline) {
    return receive_bytes(&command, sizeof command, deadline);
  }
  Status receive(Reply& reply, const Deadline& deadline) {
    return receive_bytes(&reply, sizeof reply, deadline);
  }

 private:
  Status send_bytes(const void* data, std::size_t bytes);
  Status receive_bytes(void* data, std::size_t bytes, const Deadline& deadline);

  UniqueFd fd_;
};

}  // namespace hawser::bench
