#include "bootstrap/session.h"

#include <fmt/core.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <optional>

#include "base/event_fd.h"
#include "base/socket.h"
#include "base/thread.h"

namespace hawser {
namespace {

constexpr int kLongestWaitMs = 60000;
constexpr int kLingerPollMs = 2;
constexpr int kEndOfStream = 1;  // what the FIN counts for among unacknowledged bytes
constexpr Milliseconds kRefuseTimeout{1000};

}  // namespace

// The thread's own state, and what it shares with callers: the line, a flag, and what has failed.
struct Session::Impl {
  Impl(std::unique_ptr<control::Line> given_line, EventFd event, Options given, Handler callbacks)
      : closing_event(std::move(event)),
        options(given),
        handler(std::move(callbacks)),
        owned_line(std::move(given_line)),
        line(*owned_line),
        pulse(line, given, wire::encode(wire::Heartbeat{})) {}

  void run();
  Status step();
  Status read();
  Status deliver();
  Status dispatch(wire::Message message);
  Error ended(const Error& how);
  void linger();

  // Of any thread.
  Status send(std::span<const std::byte> frame, Milliseconds timeout);
  Status wait_sent(const Deadline& deadline);
  Status fail(Error error);
  std::optional<Error> failure() const;

  const EventFd closing_event;
  const Options options;
  const Handler handler;
  const std::unique_ptr<control::Line> owned_line;
  control::Line& line;
  control::Pulse pulse;              // of the session's thread
  std::atomic<bool> closing{false};  // publishes nothing but itself
  mutable std::mutex failing;        // guards failure_; never held across a call that waits
  std::optional<Error> failure_;     // what ended the sending; the first counts
  Thread thread;                     // last: it uses the others
};

void Session::Impl::run() {
  Status good = deliver();
  while (good.ok() && !closing) good = step();
  if (closing) return linger();
  const Status lost = fail(good.error());  // a send() that is waiting need not wait on
  handler.on_lost(lost.error());
}

Status Session::Impl::step() {
  const short events = line.wants_to_write() ? POLLIN | POLLOUT : POLLIN;
  pollfd fds[] = {{line.fd(), events, 0}, {closing_event.fd(), POLLIN, 0}};
  const TimePoint before = Clock::system().now();
  ::poll(fds, 2, pulse.timeout_ms(before, kLongestWaitMs));
  if ((fds[0].revents & POLLOUT) != 0) line.flush();
  if ((fds[0].revents & ~POLLOUT) != 0) HAWSER_TRY(read());
  return pulse.check(Clock::system().now());
}

Status Session::Impl::read() {
  const Status received = line.receive();
  HAWSER_TRY(deliver());
  return received.ok() ? received : Status(ended(received.error()));
}

Error Session::Impl::ended(const Error& how) {
  if (!line.closed()) return how;
  const char* where = line.unread().empty() ? "" : " in the middle of a message";
  return Error(Code::peer, fmt::format("{} closed the connection{}: its process has ended or was "
                                       "killed",
                                       line.peer(), where));
}

Status Session::Impl::deliver() {
  const auto wrong = [this](const Error& error) {
    return Error(Code::protocol,
                 fmt::format("{} sent what no hawser sends: {}", line.peer(), error.message()));
  };
  while (!closing) {
    const auto frame = line.next_frame();
    if (!frame.ok()) return wrong(frame.error());
    if (!*frame) return {};
    auto message = wire::decode_frame(**frame);
    if (!message.ok()) return wrong(message.error());
    HAWSER_TRY(dispatch(std::move(*message)));
  }
  return {};
}

Status Session::Impl::dispatch(wire::Message message) {
  if (std::holds_alternative<wire::Heartbeat>(message)) return {};
  if (const auto* refuse = std::get_if<wire::Refuse>(&message))
    return Error(Code::peer, fmt::format("{} refused: {}", line.peer(), refuse->reason));
  if (std::holds_alternative<wire::Hello>(message) || std::holds_alternative<wire::Plan>(message))
    return Error(Code::protocol, fmt::format("{} sent what no hawser sends: a second {}",
                                             line.peer(), wire::message_name(message)));
  handler.on_message(std::move(message));
  return {};
}

// Lets what was sent arrive: closing a socket that has unread bytes would throw it away.
void Session::Impl::linger() {
  line.flush();
  ::shutdown(line.fd(), SHUT_WR);
  const Deadline deadline = Deadline::after(kLinger);
  while (!deadline.expired()) {
    if (!line.discard().ok()) return;
    int unacknowledged = 0;
    if (::ioctl(line.fd(), SIOCOUTQ, &unacknowledged) != 0) return;
    if (unacknowledged <= kEndOfStream) return;
    ::poll(nullptr, 0, kLingerPollMs);
  }
}

Status Session::Impl::send(std::span<const std::byte> frame, Milliseconds timeout) {
  if (const auto earlier = failure()) return *earlier;
  const Deadline deadline = Deadline::after(timeout);
  // Never too much for the line: each thread that sends waits till its frame has gone.
  line.send(frame);
  HAWSER_TRY(wait_sent(deadline));
  // All of it is out: what may have ended the session meanwhile, the peer's answer to it, say, is
  // no failure of this.
  if (!line.broken()) return {};
  if (const auto earlier = failure()) return *earlier;
  // How it ended is told by whoever reads.
  return Error(Code::peer, fmt::format("{} has closed the connection", line.peer()));
}

Status Session::Impl::wait_sent(const Deadline& deadline) {
  while (line.wants_to_write()) {
    if (const auto earlier = failure()) return *earlier;
    if (deadline.expired())
      return fail(Error(Code::timeout, fmt::format("{} took no message for {} ms: it hangs or is "
                                                   "stopped, or the network between is cut",
                                                   line.peer(), deadline.timeout().count())));
    pollfd fds[] = {{line.fd(), POLLOUT, 0}, {closing_event.fd(), POLLIN, 0}};
    ::poll(fds, 2, deadline.poll_timeout_ms(sockets::kLongestPollMs));
    if (fds[1].revents != 0)
      return fail(
          Error(Code::cancelled, fmt::format("the session with {} is closing", line.peer())));
    line.flush();
  }
  return {};
}

// Half a frame may be out: nothing can follow it.
Status Session::Impl::fail(Error error) {
  {
    const std::lock_guard lock(failing);
    if (!failure_) failure_ = std::move(error);
  }
  line.shut();
  return *failure();
}

std::optional<Error> Session::Impl::failure() const {
  const std::lock_guard lock(failing);
  return failure_;
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Session>> Session::start(std::unique_ptr<control::Line> line,
                                                Options options, Handler handler) {
  if (options.heartbeat <= Milliseconds::zero() || options.liveness <= options.heartbeat)
    return Error(Code::invalid_argument,
                 fmt::format("a session's liveness ({} ms) must be longer than its heartbeat "
                             "({} ms, at least 1)",
                             options.liveness.count(), options.heartbeat.count()));
  HAWSER_ASSIGN(EventFd event, EventFd::make());
  auto impl =
      std::make_unique<Impl>(std::move(line), std::move(event), options, std::move(handler));
  HAWSER_ASSIGN(impl->thread, Thread::start("hw-session", [self = impl.get()] { self->run(); }));
  return std::unique_ptr<Session>(new Session(std::move(impl)));
}

Session::~Session() {
  impl_->closing = true;
  impl_->closing_event.notify();
  impl_->thread.join();
}

Status Session::send(const wire::Message& message) {
  return impl_->send(wire::encode(message), impl_->options.liveness);
}

void Session::refuse(const std::string& reason) {
  // Where it cannot be told, the peer finds out by the closing.
  static_cast<void>(impl_->send(wire::encode(wire::Refuse{reason}), kRefuseTimeout));
}

const std::string& Session::peer() const {
  return impl_->line.peer();
}

}  // namespace hawser
