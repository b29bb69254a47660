#include "control/listener.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <map>
#include <utility>

#include "base/socket.h"
#include "base/text.h"

namespace hawser::control {
namespace {

constexpr Milliseconds kPauseWithoutDescriptors{100};
constexpr std::size_t kMaxAcceptsAtOnce = Listener::kMaxCallers;
constexpr std::size_t kMostUnread = 16 * 1024;  // of a caller; more than any first frame

bool lacks_resources(int err) {
  return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

std::string bytes_text(std::size_t bytes) {
  return bytes == 1 ? std::string("1 byte") : fmt::format("{} bytes", bytes);
}

std::string describe_ending(const Line& line, const Error& ending) {
  if (line.silent()) return "closed without a word";
  if (!line.closed())
    return fmt::format("{}; it had sent {}", ending.message(), bytes_text(line.received()));
  return fmt::format("closed after {}, before its Hello was whole", bytes_text(line.received()));
}

std::string describe_overdue(const Line& line) {
  const auto seconds = std::chrono::duration<double>(Listener::kHandshake).count();
  if (line.silent()) return fmt::format("said nothing for {} s", seconds);
  return fmt::format("sent {} in {} s and no whole Hello", bytes_text(line.received()), seconds);
}

}  // namespace

void Listener::interests(std::vector<pollfd>& into) const {
  if (accept_again_.expired())
    for (const Port& port : ports_) into.push_back({port.socket.get(), POLLIN, 0});
  for (const Caller& caller : callers_) into.push_back({caller.line->fd(), POLLIN, 0});
}

int Listener::timeout_ms(int most) const {
  if (!accept_again_.expired()) most = accept_again_.poll_timeout_ms(most);
  for (const Caller& caller : callers_) most = caller.until.poll_timeout_ms(most);
  return most;
}

void Listener::poll(const Decide& decide) {
  for (Caller& caller : callers_) hear(caller, decide);
  sweep();
  if (!accept_again_.expired()) return;
  for (const Port& port : ports_) admit_from(port, decide);
}

void Listener::admit_from(const Port& port, const Decide& decide) {
  for (std::size_t i = 0; i < kMaxAcceptsAtOnce; ++i) {
    SocketAddress from;
    UniqueFd socket = sockets::accept_one(port.socket.get(), &from);
    if (!socket.valid() && lacks_resources(errno)) return rest(errno);
    if (!socket.valid() && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINVAL)) return;
    if (!socket.valid()) continue;  // it ended while it was waiting; the next one
    resting_ = false;
    sockets::set_connection_options(socket.get());
    if (callers_.size() >= kMaxCallers) make_room();
    callers_.push_back(
        {std::make_unique<Line>(std::move(socket), from.text(), protocol_), from.ip, port.number});
    hear(callers_.back(), decide);
    sweep();
  }
}

// Without descriptors accept() would fail at once, for ever: give one up, and pause.
void Listener::rest(int err) {
  if (!resting_)
    log_.take(LogLevel::warning,
              fmt::format("{}: {}; trying again every {} ms", options_.name,
                          system_error(err, "cannot accept a connection").message(),
                          kPauseWithoutDescriptors.count()));
  resting_ = true;
  accept_again_ = Deadline::after(kPauseWithoutDescriptors);
  if (!callers_.empty()) make_room();
}

void Listener::make_room() {
  std::map<std::array<std::byte, 16>, std::size_t> places;  // by address
  for (const Caller& caller : callers_) ++places[caller.from.bytes];
  const auto victim = std::ranges::max_element(callers_, {}, [&](const Caller& caller) {
    return std::pair(places[caller.from.bytes], caller.line->silent());
  });
  turn_away(*victim, "gave way to a newer connection: too many at once", true, options_.strangers);
  sweep();
}

void Listener::hear(Caller& caller, const Decide& decide) {
  Line& line = *caller.line;
  const Status received = line.receive(kMostUnread);
  const bool speaks = line.speaks_protocol();
  const auto frame = line.next_frame();
  if (!frame.ok()) {
    const LogLevel level = speaks ? LogLevel::warning : options_.strangers;
    return turn_away(caller, frame.error().message(), speaks, level);
  }
  if (!*frame && received.ok() && !caller.until.expired()) return;
  if (!*frame && received.ok())
    return turn_away(caller, describe_overdue(line), !line.silent(), options_.strangers);
  if (!*frame)
    return turn_away(caller, describe_ending(line, received.error()), false, options_.strangers);
  if (!received.ok())
    return turn_away(caller, "gave up before it was answered", false, LogLevel::warning);
  const Status decided = decide(caller.line, **frame, caller.port);
  if (!decided.ok()) turn_away(caller, decided.error().message(), true, LogLevel::warning);
}

void Listener::turn_away(Caller& caller, std::string_view reason, bool tell, LogLevel level) {
  ++refused_;
  if (caller.line == nullptr) return;
  log_.take(level, fmt::format("{}: refused {}: {}", options_.name, caller.line->peer(),
                               printable(reason)));
  if (tell) caller.line->refuse(reason);
  caller.line.reset();
}

void Listener::sweep() {
  std::erase_if(callers_, [](const Caller& caller) { return caller.line == nullptr; });
}

void Listener::close(const std::string& reason) {
  const Decide refuse = [&](auto&, auto, int) { return Status(Error(Code::peer, reason)); };
  if (accept_again_.expired())
    for (const Port& port : ports_) admit_from(port, refuse);
  for (Caller& caller : callers_)
    turn_away(caller, reason, caller.line->silent() || caller.line->speaks_protocol(),
              LogLevel::warning);
  close();
}

void Listener::close() {
  // As long as a thread waits for it in poll(2) a socket outlives its descriptor, and would go on
  // to take in connections.
  for (const Port& port : ports_) ::shutdown(port.socket.get(), SHUT_RDWR);
  ports_.clear();
  callers_.clear();
  log_.flush();
}

}  // namespace hawser::control
