// What the bare sockets do in a measurement: the same as the lanes, by plain calls.
#pragma once

#include <memory>
#include <vector>

#include "memory/buffer.h"
#include "perf/bare_socket.h"
#include "perf/crew.h"
#include "perf/workload.h"

namespace hawser {

// One side's bare sockets, each with a thread of its own and memory that is only its own. The
// bytes are a pattern's, but nobody compares them: this measures the kernel. Driven by one thread.
class BareLink {
 public:
  // The first half goes from the client to the server, the second half back.
  static Result<std::unique_ptr<BareLink>> make(Role role, std::vector<UniqueFd> sockets,
                                                std::size_t ring_bytes);

  // Blocking calls, one per message for as much as the kernel takes at once.
  Status stream(const StreamWork& work, const WaitBound& bound);
  // The same by calls that never block; in between, each thread rests as the lanes' do.
  Status stream_polling(const StreamWork& work, PerfIdle idle, const WaitBound& bound);
  // Over the first socket, both ways, polling as the lanes do.
  Status ping(std::size_t bytes, std::uint64_t round_trips, Watch& watch,
              LatencyHistogram* round_trip_ns);
  Status pong(std::size_t bytes, std::uint64_t round_trips, Watch& watch);

 private:
  struct Way {
    UniqueFd socket;
    Buffer buffer;
  };

  BareLink(Role role, std::vector<Way> ways) : role_(role), ways_(std::move(ways)) {}
  // All of a run over one way, by the calls given; then the token back.
  template <class Send, class Receive>
  static Status send(Way& way, const MessageRun& run, Send&& send_bytes, Receive&& receive_bytes);
  template <class Send, class Receive>
  static Status receive(Way& way, const MessageRun& run, Send&& send_bytes,
                        Receive&& receive_bytes);
  // Whether this side sends over that way.
  bool sends(int member) const {
    return (static_cast<std::size_t>(member) < ways_.size() / 2) == (role_ == Role::client);
  }
  Status assemble(bool bidirectional);

  Role role_;
  std::vector<Way> ways_;
  std::unique_ptr<Crew> crew_;
};

}  // namespace hawser
