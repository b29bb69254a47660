// One side of one sample: a connected socket, the calls that drive it, the memory it moves.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/fd.h"
#include "perf/histogram.h"
#include "socket_choices/memory.h"
#include "socket_choices/mover.h"

namespace hawser::bench {

// Messages of one size go round a ring of buffers, as those of `hawser perf` do. Of one thread.
class Link {
 public:
  // `memory` must not be used for anything else while the link is alive.
  static Result<std::unique_ptr<Link>> make(UniqueFd socket, const Variant& variant,
                                            std::size_t message_bytes, Memory& memory);

  void bound_by(const Deadline& deadline) { mover_->bound_by(deadline); }

  // Back when the other side has said that it has every byte, and every buffer is free again.
  Status send_stream(std::uint64_t messages);
  Status receive_stream(std::uint64_t messages);
  Status ping(std::uint64_t round_trips, LatencyHistogram& round_trip_ns);
  Status pong(std::uint64_t round_trips);

  // What the kernel made of all this; may be empty.
  std::string note() const;

 private:
  Link(UniqueFd socket, const Variant& variant, std::size_t message_bytes);
  std::span<std::byte> slot(std::uint64_t message) const;

  UniqueFd socket_;
  Pages pages_;
  std::string buffers_;  // what effective() said when the connection was new
  std::size_t message_bytes_;
  std::size_t slots_;
  const Block* block_ = nullptr;
  std::unique_ptr<Mover> mover_;
};

}  // namespace hawser::bench
