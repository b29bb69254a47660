#include "bootstrap/candidate.h"

#include <fmt/core.h>

#include <array>

#include "base/socket.h"

namespace hawser {
namespace {

std::string bytes_text(std::size_t bytes) {
  return bytes == 1 ? std::string("1 byte") : fmt::format("{} bytes", bytes);
}

}  // namespace

Candidate::Candidate(UniqueFd socket, std::string peer, int channel)
    : socket_(std::move(socket)),
      peer_(std::move(peer)),
      channel_(channel),
      deadline_(Deadline::after(RendezvousServer::kHandshakeTimeout)) {}

void Candidate::read_available() {
  std::array<std::byte, wire::kMaxFrameBytes> bytes;
  while (ending_ == Ending::none && received_ + wire::kMaxFrameBytes <= kMaxHelloBytes) {
    const auto got = sockets::receive_some(socket_.get(), bytes);
    using State = sockets::Transfer::State;
    if (got.state == State::would_block) return;
    if (got.state == State::closed) ending_ = Ending::closed;
    if (got.state == State::failed) ending_ = Ending::broken;
    err_ = got.err;
    received_ += got.bytes;
    decoder_.feed(std::span(bytes).first(got.bytes));
    speaks_hawser_ = wire::has_magic(decoder_.pending());
  }
}

std::string Candidate::describe_ending() const {
  if (ending_ == Ending::broken)
    return fmt::format("{}; it had sent {}", system_error(err_, "connection lost").message(),
                       bytes_text(received_));
  if (silent()) return "closed without a word";
  return fmt::format("closed after {}, before its Hello was whole", bytes_text(received_));
}

std::string Candidate::describe_overdue() const {
  const auto seconds = std::chrono::duration<double>(RendezvousServer::kHandshakeTimeout).count();
  if (silent()) return fmt::format("said nothing for {} s", seconds);
  return fmt::format("sent {} in {} s and no whole Hello", bytes_text(received_), seconds);
}

Candidate::Verdict Candidate::judge(const RendezvousServer::Decide& decide,
                                    const std::string& control_address) {
  read_available();
  auto message = decoder_.next();
  if (!message.ok()) return Refused{message.error().message(), speaks_hawser_};
  if (!message->has_value())
    return ending_ == Ending::none ? Verdict(StillWaiting{}) : Refused{describe_ending()};
  const auto* hello = std::get_if<wire::Hello>(&**message);
  if (hello == nullptr)
    return Refused{fmt::format("a {} where a Hello belongs", wire::message_name(**message)), true};
  if (ending_ != Ending::none) return Refused{"gave up before it was answered"};
  if (channel_ != 0)
    return Refused{fmt::format("this port is held for channel {}; the control connection belongs "
                               "on {}: check --port-base and the gpu",
                               channel_, control_address),
                   true};
  return answer(*hello, decide);
}

Candidate::Verdict Candidate::answer(const wire::Hello& hello,
                                     const RendezvousServer::Decide& decide) {
  auto plan = decide(hello);
  if (!plan.ok()) return Refused{plan.error().message(), true};
  const auto frame = wire::encode(*plan);
  // A connection that has carried nothing yet takes a frame at once, or is broken.
  const auto sent = sockets::send_some(socket_.get(), frame);
  if (sent.bytes != frame.size()) return Refused{"would not take the Plan"};
  return Accepted{hello, std::move(*plan)};
}

void Candidate::refuse(const std::string& reason) {
  read_available();  // closing over unread bytes would take the Refuse away again
  sockets::send_some(socket_.get(), wire::encode(wire::Refuse{reason}));
  ::shutdown(socket_.get(), SHUT_WR);
  close();
}

Rendezvous Candidate::into_rendezvous(Accepted accepted) {
  return Rendezvous{std::move(socket_), std::move(peer_), std::move(decoder_),
                    std::move(accepted.hello), std::move(accepted.plan)};
}

}  // namespace hawser
