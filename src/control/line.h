// A connection of the control plane: whole frames of one protocol, both ways.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace hawser::control {

// How the frames of a protocol stand in a stream.
struct Protocol {
  std::uint32_t magic;  // what each frame begins with, little-endian
  std::size_t header_bytes;
  // The length of the frame that begins so, header included. An error: none does.
  Result<std::size_t> (*frame_length)(std::span<const std::byte> header);
  // A frame that says no, and why.
  std::vector<std::byte> (*refusal)(std::string_view reason);
};

// A connected socket. send(), flush(), wants_to_write(), shut() and heard_at() may be called from
// any thread, the rest from the one that reads. Never blocks.
class Line {
 public:
  // `unread`: what has come already.
  Line(UniqueFd socket, std::string peer, const Protocol& protocol,
       std::vector<std::byte> unread = {});

  int fd() const { return socket_.get(); }
  const std::string& peer() const { return peer_; }
  const Protocol& protocol() const { return protocol_; }
  TimePoint heard_at() const { return heard_at_.load(std::memory_order_relaxed); }

  // What cannot be sent at once waits, for flush(). False: it was left out, since the line is
  // broken, which is told when it is read, or since too much waits: the peer reads nothing.
  bool send(std::span<const std::byte> frame);
  void flush();
  bool wants_to_write() const;
  bool broken() const;  // found out by sending

  // Takes in what is there, until `most_unread` bytes wait to be read. Code::peer: the peer closed
  // it, or it is broken; Code::timeout: the peer's machine acknowledges nothing any more.
  Status receive(std::size_t most_unread = kMaxUnread);
  // The next whole frame, which stays until the next receive(); nothing: none is whole yet. An
  // error, which stays: what came is none.
  Result<std::optional<std::span<const std::byte>>> next_frame();
  std::span<const std::byte> unread() const { return std::span(incoming_).subspan(consumed_); }
  // As receive(), but forgets it.
  Status discard();
  // Both: takes in what is there, and gives each frame to `take`, which may refuse it.
  Status read(const std::function<Status(std::span<const std::byte> frame)>& take);

  std::size_t received() const { return received_; }
  bool silent() const { return received_ == 0; }
  bool closed() const { return closed_; }  // in good order, by the peer
  // Whether what is unread begins as a frame does.
  bool speaks_protocol() const;

  // The peer reads an end; so does this side.
  void shut();
  // The same, behind what could be sent, and the descriptor goes.
  void end();
  // Says why this side gives up, as far as that goes at once, and that nothing follows.
  void refuse(std::string_view reason);

 private:
  static constexpr std::size_t kMaxUnsent = 1 << 20;
  static constexpr std::size_t kMaxUnread = 1 << 18;

  void push();

  UniqueFd socket_;
  const std::string peer_;
  const Protocol& protocol_;
  std::atomic<TimePoint> heard_at_;  // publishes nothing but itself
  std::vector<std::byte> incoming_;
  std::size_t consumed_ = 0;  // of incoming_
  std::size_t received_ = 0;
  bool closed_ = false;
  mutable std::mutex mutex_;       // guards what follows
  std::vector<std::byte> unsent_;  // nothing, once it is broken
  bool broken_ = false;
};

}  // namespace hawser::control
