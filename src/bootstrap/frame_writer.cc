#include "bootstrap/frame_writer.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/socket.h"

namespace hawser {
std::optional<Error> FrameWriter::failure() const {
  const std::lock_guard lock(failing_);
  return failure_;
}

Status FrameWriter::fail(Error error) {
  {
    const std::lock_guard lock(failing_);
    if (!failure_) failure_ = error;
  }
  ::shutdown(socket_, SHUT_RDWR);  // half a frame may be out: nothing can follow it
  return error;
}

Status FrameWriter::wait_writable(const Deadline& deadline) {
  pollfd fds[] = {{socket_, POLLOUT, 0}, {abort_event_, POLLIN, 0}};
  if (::poll(fds, 2, deadline.poll_timeout_ms(sockets::kLongestPollMs)) < 0 && errno != EINTR)
    return fail(system_error(errno, "poll while sending to " + peer_));
  if (fds[1].revents != 0)
    return fail(Error(Code::cancelled, fmt::format("the session with {} is closing", peer_)));
  if (!deadline.expired()) return {};
  return fail(Error(Code::timeout, fmt::format("{} took no message for {} ms: it hangs or is "
                                               "stopped, or the network between is cut",
                                               peer_, deadline.timeout().count())));
}

// Sends all of `bytes`, or as much as goes without waiting.
Status FrameWriter::push(std::span<const std::byte>& bytes, const Deadline& deadline,
                         bool may_wait) {
  using State = sockets::Transfer::State;
  while (!bytes.empty()) {
    const auto sent = sockets::send_some(socket_, bytes);
    bytes = bytes.subspan(sent.bytes);
    if (sent.state == State::closed)
      return fail(Error(Code::peer, fmt::format("{} has closed the connection", peer_)));
    if (sent.state == State::failed)
      return fail(Error(Code::peer, fmt::format("the connection to {} {}", peer_,
                                                sockets::describe_connection_error(sent.err))));
    if (sent.state != State::would_block) continue;
    if (!may_wait) return {};
    HAWSER_TRY(wait_writable(deadline));
  }
  return {};
}

Status FrameWriter::write(std::span<const std::byte> frame, Milliseconds timeout) {
  const Deadline deadline = Deadline::after(timeout);
  const std::lock_guard lock(writing_);
  if (auto earlier = failure()) return *earlier;
  std::span<const std::byte> rest(remainder_);
  HAWSER_TRY(push(rest, deadline, true));
  remainder_.clear();
  return push(frame, deadline, true);
}

Status FrameWriter::write_if_free(std::span<const std::byte> frame) {
  const std::unique_lock lock(writing_, std::try_to_lock);
  if (!lock.owns_lock()) return {};  // somebody is sending: that says we are alive, too
  if (auto earlier = failure()) return *earlier;
  const Deadline now = Deadline::after(Milliseconds::zero());
  std::span<const std::byte> rest(remainder_);
  HAWSER_TRY(push(rest, now, false));
  if (rest.empty()) {
    rest = frame;
    HAWSER_TRY(push(rest, now, false));
    if (rest.size() == frame.size()) rest = {};  // none of it went out: leave it out
  }
  remainder_ = std::vector<std::byte>(rest.begin(), rest.end());
  return {};
}

}  // namespace hawser
