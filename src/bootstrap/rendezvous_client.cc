#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <variant>

#include "base/log.h"
#include "base/socket.h"
#include "bootstrap/rendezvous.h"

namespace hawser {
namespace {

constexpr Milliseconds kShortestPause{100};
constexpr Milliseconds kLongestPause{1000};
constexpr Milliseconds kConnectTimeout{3000};  // of one attempt at one address
constexpr Milliseconds kAnswerTimeout{5000};   // where there are other addresses to try

// What became of an attempt: the rendezvous, an error that time may mend, or one that it will not.
struct Again {
  Error cause;
};
struct Final {
  Error error;
};
template <class T>
using Attempt = std::variant<T, Again, Final>;

Deadline earlier(const Deadline& deadline, Milliseconds timeout) {
  return deadline.remaining() < timeout ? deadline : Deadline::after(timeout);
}

// Connects to one address and shakes hands. Not thread-safe.
class Dialogue {
 public:
  Dialogue(SocketAddress address, const wire::Hello& hello) : address_(address), hello_(hello) {}

  Attempt<Rendezvous> run(const Deadline& connect_by, const Deadline& answer_by);

 private:
  Attempt<wire::Message> hear_answer(const Deadline& answer_by);
  Attempt<Rendezvous> judge(wire::Message answer);
  Error unconnected(int err) const;
  Error unanswered(const sockets::Transfer& got) const;

  const SocketAddress address_;
  const wire::Hello& hello_;
  UniqueFd socket_;
  wire::Decoder decoder_;
};

Error Dialogue::unconnected(int err) const {
  return system_error(err, fmt::format("connecting to {}", address_.text()));
}

Error Dialogue::unanswered(const sockets::Transfer& got) const {
  using State = sockets::Transfer::State;
  const std::string peer = address_.text();
  if (got.state == State::closed)
    return Error(Code::peer, fmt::format("{} closed the connection instead of answering", peer));
  if (got.state == State::failed)
    return Error(Code::peer, fmt::format("the connection to {} {}", peer,
                                         sockets::describe_connection_error(got.err)));
  return Error(Code::timeout, fmt::format("{} took the connection but did not answer", peer));
}

bool may_come_later(int err) {
  return err != EACCES && err != EPERM && err != EINVAL && err != EMFILE && err != ENFILE;
}

Attempt<Rendezvous> Dialogue::run(const Deadline& connect_by, const Deadline& answer_by) {
  if (const int err = sockets::connect_to(address_, connect_by, socket_); err != 0) {
    if (may_come_later(err)) return Again{unconnected(err)};
    return Final{unconnected(err)};
  }
  sockets::set_connection_options(socket_.get());
  // Nothing has been sent yet, so a frame goes out whole; where the server has closed already, the
  // answer (perhaps a Refuse) tells more than this failure.
  sockets::send_some(socket_.get(), wire::encode(hello_));
  auto answer = hear_answer(answer_by);
  if (auto* again = std::get_if<Again>(&answer)) return std::move(*again);
  if (auto* final = std::get_if<Final>(&answer)) return std::move(*final);
  return judge(std::move(std::get<wire::Message>(answer)));
}

Attempt<wire::Message> Dialogue::hear_answer(const Deadline& answer_by) {
  std::array<std::byte, wire::kMaxFrameBytes> bytes;
  while (true) {
    const bool ready = sockets::wait_for(socket_, POLLIN, answer_by);
    const auto got = sockets::receive_some(socket_.get(), bytes);
    decoder_.feed(std::span(bytes).first(got.bytes));
    auto message = decoder_.next();
    if (!message.ok())
      return Final{Error(Code::protocol, fmt::format("{} is no hawser server of this version: {}",
                                                     address_.text(), message.error().message()))};
    if (message->has_value()) return std::move(**message);
    using State = sockets::Transfer::State;
    if (!ready || got.state == State::closed || got.state == State::failed)
      return Again{unanswered(got)};
  }
}

Attempt<Rendezvous> Dialogue::judge(wire::Message answer) {
  if (auto* plan = std::get_if<wire::Plan>(&answer))
    return Rendezvous{std::move(socket_), address_.text(), std::move(decoder_), hello_,
                      std::move(*plan)};
  if (auto* refuse = std::get_if<wire::Refuse>(&answer))
    return Final{Error(Code::peer, fmt::format("{} refused: {}", address_.text(), refuse->reason))};
  return Final{Error(Code::protocol, fmt::format("{} answered a Hello with a {}", address_.text(),
                                                 wire::message_name(answer)))};
}

// Tries all addresses, time after time, till the deadline.
class Caller {
 public:
  Caller(std::string host, std::uint16_t port, const wire::Hello& hello, Deadline deadline)
      : host_(std::move(host)), port_(port), hello_(hello), deadline_(deadline) {}

  Result<Rendezvous> run();

 private:
  Attempt<Rendezvous> try_all();
  void note(const Error& cause);
  Error gave_up() const;
  std::string server() const { return sockets::host_and_port(host_, port_); }

  const std::string host_;
  const std::uint16_t port_;
  const wire::Hello& hello_;
  const Deadline deadline_;
  std::string last_cause_;
};

Attempt<Rendezvous> Caller::try_all() {
  const auto addresses = sockets::resolve(host_, port_, sockets::Use::connect);
  if (!addresses.ok() && addresses.error().code() == Code::unavailable)
    return Again{addresses.error()};
  if (!addresses.ok()) return Final{addresses.error()};
  Attempt<Rendezvous> last = Again{Error(Code::internal, "no address to try")};
  for (const auto& address : *addresses) {
    const Deadline answer_by =
        addresses->size() == 1 ? deadline_ : earlier(deadline_, kAnswerTimeout);
    last = Dialogue(address, hello_).run(earlier(deadline_, kConnectTimeout), answer_by);
    if (!std::holds_alternative<Again>(last)) return last;
    note(std::get<Again>(last).cause);
    if (deadline_.expired()) return last;
  }
  return last;
}

void Caller::note(const Error& cause) {
  if (last_cause_.empty())
    log_info("no answer from {} yet ({}); trying again for {} ms", server(), cause.message(),
             deadline_.remaining().count());
  last_cause_ = cause.message();
}

Error Caller::gave_up() const {
  const auto seconds = std::chrono::duration<double>(deadline_.timeout()).count();
  return Error(Code::timeout,
               fmt::format("no hawser server answered at {} within {} s; last: {}. Is the server "
                           "started, does a firewall let the port through, are --port-base and "
                           "the server's gpu right?",
                           server(), seconds, last_cause_));
}

Result<Rendezvous> Caller::run() {
  Milliseconds pause = kShortestPause;
  while (true) {
    auto attempt = try_all();
    if (auto* done = std::get_if<Rendezvous>(&attempt)) return std::move(*done);
    if (auto* final = std::get_if<Final>(&attempt)) return std::move(final->error);
    if (last_cause_.empty()) note(std::get<Again>(attempt).cause);
    ::poll(nullptr, 0, deadline_.poll_timeout_ms(static_cast<int>(pause.count())));
    // Asked after the pause: an attempt that has no time left would tell a false last cause.
    if (deadline_.expired()) return gave_up();
    pause = std::min(pause * 2, kLongestPause);
  }
}

}  // namespace

Result<Rendezvous> rendezvous_connect(const std::string& server_address, int port_base, int gpu,
                                      const wire::Hello& hello, Deadline deadline) {
  HAWSER_ASSIGN(const std::uint16_t port, channel_port(port_base, gpu, 0));
  return Caller(server_address, port, hello, deadline).run();
}

}  // namespace hawser
