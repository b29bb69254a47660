#include "bootstrap/session.h"

#include <fmt/core.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <optional>

#include "base/event_fd.h"
#include "base/socket.h"
#include "base/thread.h"
#include "bootstrap/frame_writer.h"

namespace hawser {
namespace {

constexpr std::size_t kReadBytes = 4 * wire::kMaxFrameBytes;
constexpr int kLongestWaitMs = 60000;
constexpr int kLingerPollMs = 2;
constexpr int kEndOfStream = 1;  // what the FIN counts for among unacknowledged bytes
constexpr Milliseconds kRefuseTimeout{1000};

double seconds(Milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

// The thread's own state, and what it shares with callers: the writer and two flags.
struct Session::Impl {
  Impl(UniqueFd connection, EventFd event, std::string name, wire::Decoder left_over, Options given,
       Handler callbacks)
      : socket(std::move(connection)),
        closing_event(std::move(event)),
        peer(std::move(name)),
        options(given),
        handler(std::move(callbacks)),
        writer(socket.get(), closing_event.fd(), peer),
        decoder(std::move(left_over)),
        heard(Deadline::after(options.liveness)),
        beat(Deadline::after(options.heartbeat)) {}

  void run();
  std::optional<Error> step();
  std::optional<Error> read();
  std::optional<Error> deliver();
  std::optional<Error> dispatch(wire::Message message);
  std::optional<Error> ended(const sockets::Transfer& got);
  void beat_if_due();
  bool wait();
  void linger();

  const UniqueFd socket;
  const EventFd closing_event;
  const std::string peer;
  const Options options;
  const Handler handler;
  FrameWriter writer;
  std::atomic<bool> closing{false};  // publishes nothing but itself

  // Only the session's thread touches these.
  wire::Decoder decoder;
  Deadline heard;  // when the peer's silence has lasted too long
  Deadline beat;   // when the next heartbeat is due

  Thread thread;  // last: it uses the others
};

void Session::Impl::run() {
  std::optional<Error> lost = deliver();
  while (!lost && !closing) lost = step();
  if (closing) return linger();
  ::shutdown(socket.get(), SHUT_RDWR);  // a send() that is waiting need not wait on
  if (lost) handler.on_lost(*lost);
}

std::optional<Error> Session::Impl::step() {
  if (wait()) {
    if (auto lost = read()) return lost;
  } else if (heard.expired()) {
    return Error(Code::timeout,
                 fmt::format("{} has been silent for {} s: it hangs or is stopped, or the network "
                             "between is cut",
                             peer, seconds(options.liveness)));
  }
  beat_if_due();
  return std::nullopt;
}

// Whether there is something to read.
bool Session::Impl::wait() {
  pollfd fds[] = {{socket.get(), POLLIN, 0}, {closing_event.fd(), POLLIN, 0}};
  const int timeout_ms = heard.poll_timeout_ms(beat.poll_timeout_ms(kLongestWaitMs));
  return ::poll(fds, 2, timeout_ms) > 0 && fds[0].revents != 0;
}

std::optional<Error> Session::Impl::read() {
  std::array<std::byte, kReadBytes> bytes;
  const auto got = sockets::receive_some(socket.get(), bytes);
  using State = sockets::Transfer::State;
  if (got.state == State::would_block) return std::nullopt;
  if (got.state != State::some) return ended(got);
  heard = Deadline::after(options.liveness);
  decoder.feed(std::span(bytes).first(got.bytes));
  return deliver();
}

std::optional<Error> Session::Impl::ended(const sockets::Transfer& got) {
  if (auto failure = writer.failure(); failure && failure->code() == Code::timeout) return failure;
  if (got.state == sockets::Transfer::State::failed)
    return Error(
        got.err == ETIMEDOUT ? Code::timeout : Code::peer,
        fmt::format("the connection to {} {}", peer, sockets::describe_connection_error(got.err)));
  const char* where = decoder.pending().empty() ? "" : " in the middle of a message";
  return Error(Code::peer, fmt::format("{} closed the connection{}: its process has ended or was "
                                       "killed",
                                       peer, where));
}

std::optional<Error> Session::Impl::deliver() {
  while (!closing) {
    auto message = decoder.next();
    if (!message.ok())
      return Error(Code::protocol, fmt::format("{} sent what no hawser sends: {}", peer,
                                               message.error().message()));
    if (!message->has_value()) return std::nullopt;
    if (auto lost = dispatch(std::move(**message))) return lost;
  }
  return std::nullopt;
}

std::optional<Error> Session::Impl::dispatch(wire::Message message) {
  if (std::holds_alternative<wire::Heartbeat>(message)) return std::nullopt;
  if (const auto* refuse = std::get_if<wire::Refuse>(&message))
    return Error(Code::peer, fmt::format("{} refused: {}", peer, refuse->reason));
  if (std::holds_alternative<wire::Hello>(message) || std::holds_alternative<wire::Plan>(message))
    return Error(Code::protocol, fmt::format("{} sent what no hawser sends: a second {}", peer,
                                             wire::message_name(message)));
  handler.on_message(std::move(message));
  return std::nullopt;
}

void Session::Impl::beat_if_due() {
  if (!beat.expired()) return;
  beat = Deadline::after(options.heartbeat);
  // A failure shuts the socket down: the next read() tells it.
  static_cast<void>(writer.write_if_free(wire::encode(wire::Heartbeat{})));
}

// Lets what was sent arrive: closing a socket that has unread bytes would throw it away.
void Session::Impl::linger() {
  ::shutdown(socket.get(), SHUT_WR);
  const Deadline deadline = Deadline::after(kLinger);
  std::array<std::byte, kReadBytes> ignored;
  while (!deadline.expired()) {
    const auto got = sockets::receive_some(socket.get(), ignored);
    using State = sockets::Transfer::State;
    if (got.state == State::closed || got.state == State::failed) return;
    int unacknowledged = 0;
    if (::ioctl(socket.get(), SIOCOUTQ, &unacknowledged) != 0) return;
    if (unacknowledged <= kEndOfStream) return;
    if (got.state == State::would_block) ::poll(nullptr, 0, kLingerPollMs);
  }
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Session>> Session::start(UniqueFd socket, std::string peer,
                                                wire::Decoder decoder, Options options,
                                                Handler handler) {
  if (options.heartbeat <= Milliseconds::zero() || options.liveness <= options.heartbeat)
    return Error(Code::invalid_argument,
                 fmt::format("a session's liveness ({} ms) must be longer than its heartbeat "
                             "({} ms, at least 1)",
                             options.liveness.count(), options.heartbeat.count()));
  HAWSER_ASSIGN(EventFd event, EventFd::make());
  auto impl = std::make_unique<Impl>(std::move(socket), std::move(event), std::move(peer),
                                     std::move(decoder), options, std::move(handler));
  HAWSER_ASSIGN(impl->thread, Thread::start("hw-session", [self = impl.get()] { self->run(); }));
  return std::unique_ptr<Session>(new Session(std::move(impl)));
}

Session::~Session() {
  impl_->closing = true;
  impl_->closing_event.notify();
  impl_->thread.join();
}

Status Session::send(const wire::Message& message) {
  return impl_->writer.write(wire::encode(message), impl_->options.liveness);
}

void Session::refuse(const std::string& reason) {
  // Where it cannot be told, the peer finds out by the closing.
  static_cast<void>(impl_->writer.write(wire::encode(wire::Refuse{reason}), kRefuseTimeout));
}

const std::string& Session::peer() const {
  return impl_->peer;
}

}  // namespace hawser
