#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>

#include "base/event_fd.h"
#include "base/log.h"
#include "base/socket.h"
#include "base/text.h"
#include "bootstrap/candidate.h"
#include "bootstrap/held_ports.h"
#include "bootstrap/rendezvous.h"

namespace hawser {
namespace {

constexpr Milliseconds kPauseWithoutDescriptors{100};
constexpr int kMaxAcceptsAtOnce = RendezvousServer::kMaxCandidates;

bool lacks_resources(int err) {
  return err == EMFILE || err == ENFILE || err == ENOBUFS || err == ENOMEM;
}

}  // namespace

struct RendezvousServer::Impl {
  std::vector<HeldPort> ports;
  std::string address;
  EventFd stop_event;
};

namespace {

// One call of accept(): the candidates of the moment. Lives in that thread only.
class Reception {
 public:
  Reception(const std::vector<HeldPort>& ports, const std::string& address, int stop_event,
            const RendezvousServer::Decide& decide, Deadline deadline)
      : ports_(ports),
        address_(address),
        stop_event_(stop_event),
        decide_(decide),
        deadline_(deadline),
        accept_again_(Deadline::after(Milliseconds::zero())) {}

  Result<Rendezvous> run();

 private:
  Status wait();
  bool stopped() const { return polled_[0].revents != 0; }
  void hear_candidates();
  void admit_all();
  void admit_from(const HeldPort& port);
  void admit(UniqueFd socket, const SocketAddress& from, int channel);
  void rest(int err);
  void make_room();
  void hear(Candidate& candidate);
  void drop_overdue();
  void sweep();
  void turn_away(Candidate& candidate, const std::string& reason, bool tell);
  void turn_away_all();
  Error nobody_came() const;

  const std::vector<HeldPort>& ports_;
  const std::string& address_;
  const int stop_event_;
  const RendezvousServer::Decide& decide_;
  const Deadline deadline_;

  std::vector<pollfd> polled_;  // the stop event, the ports, the candidates
  std::vector<Candidate> candidates_;
  std::optional<Rendezvous> served_;
  Deadline accept_again_;
  bool resting_ = false;
  std::uint64_t refused_ = 0;
};

Result<Rendezvous> Reception::run() {
  while (true) {
    HAWSER_TRY(wait());
    if (stopped()) return Error(Code::cancelled, "waiting for a client was stopped");
    hear_candidates();
    if (!served_) admit_all();
    if (served_) {
      turn_away_all();
      return std::move(*served_);
    }
    drop_overdue();
    if (deadline_.expired()) return nobody_came();
  }
}

Status Reception::wait() {
  const bool accepting = accept_again_.expired();
  polled_.assign(1, {stop_event_, POLLIN, 0});
  for (const auto& port : ports_)
    polled_.push_back({accepting ? port.socket.get() : -1, POLLIN, 0});
  int timeout_ms = deadline_.poll_timeout_ms(sockets::kLongestPollMs);
  if (!accepting) timeout_ms = accept_again_.poll_timeout_ms(timeout_ms);
  for (const auto& candidate : candidates_) {
    polled_.push_back({candidate.socket(), POLLIN, 0});
    timeout_ms = candidate.deadline().poll_timeout_ms(timeout_ms);
  }
  if (::poll(polled_.data(), polled_.size(), timeout_ms) >= 0 || errno == EINTR) return {};
  return system_error(errno, "poll while waiting for a client");
}

void Reception::hear_candidates() {
  const std::size_t first = 1 + ports_.size();
  for (std::size_t i = first; i < polled_.size() && !served_; ++i)
    if (polled_[i].revents != 0) hear(candidates_[i - first]);
  sweep();
}

void Reception::admit_all() {
  for (std::size_t i = 0; i < ports_.size() && !served_; ++i)
    if (polled_[1 + i].revents != 0) admit_from(ports_[i]);
}

void Reception::admit_from(const HeldPort& port) {
  for (int i = 0; i < kMaxAcceptsAtOnce; ++i) {
    SocketAddress from;
    UniqueFd socket = sockets::accept_one(port.socket.get(), &from);
    if (socket.valid()) {
      admit(std::move(socket), from, port.channel);
    } else if (lacks_resources(errno)) {
      return rest(errno);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    }  // else: a connection that ended while it was waiting; the next one
  }
}

void Reception::admit(UniqueFd socket, const SocketAddress& from, int channel) {
  resting_ = false;
  sockets::set_connection_options(socket.get());
  if (candidates_.size() >= RendezvousServer::kMaxCandidates) make_room();
  candidates_.emplace_back(std::move(socket), from.text(), channel);
  hear(candidates_.back());
  sweep();
}

// Without descriptors accept() would fail at once, for ever: give one up, and pause.
void Reception::rest(int err) {
  if (!resting_)
    log_warning("{}: {}; trying again every {} ms", address_,
                system_error(err, "cannot accept a connection").message(),
                kPauseWithoutDescriptors.count());
  resting_ = true;
  accept_again_ = Deadline::after(kPauseWithoutDescriptors);
  if (!candidates_.empty()) make_room();
}

void Reception::make_room() {
  const auto silent = [](const Candidate& candidate) { return candidate.silent(); };
  auto victim = std::find_if(candidates_.begin(), candidates_.end(), silent);
  if (victim == candidates_.end()) victim = candidates_.begin();
  turn_away(*victim, "gave way to a newer connection: too many at once", true);
  sweep();
}

void Reception::hear(Candidate& candidate) {
  if (served_) return turn_away(candidate, "another client is being served", true);
  auto verdict = candidate.judge(decide_, address_);
  if (auto* refused = std::get_if<Candidate::Refused>(&verdict))
    return turn_away(candidate, refused->reason, refused->tell);
  if (auto* accepted = std::get_if<Candidate::Accepted>(&verdict))
    served_ = candidate.into_rendezvous(std::move(*accepted));
}

void Reception::turn_away(Candidate& candidate, const std::string& reason, bool tell) {
  ++refused_;
  log_warning("{}: refused {}: {}", address_, candidate.peer(), printable(reason));
  if (tell && candidate.may_speak_hawser()) return candidate.refuse(reason);
  candidate.close();
}

void Reception::drop_overdue() {
  for (auto& candidate : candidates_)
    if (candidate.deadline().expired())
      turn_away(candidate, candidate.describe_overdue(), !candidate.silent());
  sweep();
}

void Reception::sweep() {
  std::erase_if(candidates_, [](const Candidate& candidate) { return !candidate.open(); });
}

void Reception::turn_away_all() {
  for (auto& candidate : candidates_) turn_away(candidate, "another client is being served", true);
  sweep();
  for (const auto& port : ports_) admit_from(port);
}

Error Reception::nobody_came() const {
  const auto seconds = std::chrono::duration<double>(deadline_.timeout()).count();
  return Error(Code::timeout,
               fmt::format("no client came to {} within {} s (refused {} other connections); is it "
                           "started, with this address, --port-base and gpu?",
                           address_, seconds, refused_));
}

}  // namespace

RendezvousServer::RendezvousServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RendezvousServer::~RendezvousServer() = default;

Result<std::unique_ptr<RendezvousServer>> RendezvousServer::listen(const std::string& bind_address,
                                                                   int port_base, int gpu,
                                                                   int channels) {
  HAWSER_ASSIGN(const std::uint16_t port, channel_port(port_base, gpu, 0));
  auto impl = std::make_unique<Impl>();
  HAWSER_ASSIGN(impl->ports, hold_ports(bind_address, port_base, gpu, channels));
  HAWSER_ASSIGN(impl->stop_event, EventFd::make());
  impl->address = sockets::host_and_port(bind_address, port);
  return std::unique_ptr<RendezvousServer>(new RendezvousServer(std::move(impl)));
}

Result<Rendezvous> RendezvousServer::accept(const Decide& decide, Deadline deadline) {
  if (impl_->ports.empty())
    return Error(Code::invalid_argument,
                 fmt::format("{} has served its client; listen anew", impl_->address));
  auto client =
      Reception(impl_->ports, impl_->address, impl_->stop_event.fd(), decide, deadline).run();
  if (client.ok()) impl_->ports.clear();
  return client;
}

void RendezvousServer::stop() {
  impl_->stop_event.notify();
}

const std::string& RendezvousServer::address() const {
  return impl_->address;
}

}  // namespace hawser
