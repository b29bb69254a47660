// The reference: what plain send() and recv() do between the same two machines. Nothing of a
// transport is used here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/wait.h"

namespace hawser {

// Where bare sockets meet, and how they know each other.
struct BareMeeting {
  std::string address;  // numeric
  std::uint16_t port = 0;
  std::uint64_t nonce = 0;
};

// Waits for the client's bare sockets. Not thread-safe.
class BareListener {
 public:
  // On any free port of `address`.
  static Result<BareListener> listen(const std::string& address);
  const BareMeeting& meeting() const { return meeting_; }
  // `count` of them, each in its place; whoever does not know the nonce is closed.
  Result<std::vector<UniqueFd>> accept(std::size_t count, const WaitBound& bound);

 private:
  BareListener(UniqueFd socket, BareMeeting meeting)
      : socket_(std::move(socket)), meeting_(std::move(meeting)) {}

  UniqueFd socket_;
  BareMeeting meeting_;
};

Result<std::vector<UniqueFd>> bare_connect(const BareMeeting& meeting, std::size_t count,
                                           const WaitBound& bound);

// Of one socket; an empty text where it cannot be asked.
std::string congestion_control(int socket);
// An error names what this machine does offer.
Status set_congestion_control(int socket, const std::string& name);

// Blocking, one call for as much as the kernel takes; an error at the bound's end.
Status send_all(int socket, const std::byte* data, std::size_t bytes, const WaitBound& bound);
Status receive_all(int socket, std::byte* data, std::size_t bytes, const WaitBound& bound);

}  // namespace hawser
