#include "engine/acceptor_core.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/log.h"
#include "base/socket.h"
#include "engine/engine_core.h"

namespace hawser::engine {
namespace {

Error cannot_listen(int err, const std::string& where) {
  if (err == EADDRINUSE)
    return Error(Code::system,
                 fmt::format("{} is in use: another program listens there (`ss -ltnp` "
                             "shows which); stop it, or choose another port",
                             where));
  return system_error(err, fmt::format("cannot listen on {}", where));
}

}  // namespace

Result<std::shared_ptr<AcceptorCore>> AcceptorCore::create(
    const std::shared_ptr<EngineCore>& engine, Party party, const std::string& address, int port) {
  if (port < 0 || port > 65535)
    return Error(Code::invalid_argument, fmt::format("{} is no port", port));
  std::shared_ptr<AcceptorCore> acceptor(new AcceptorCore(engine, std::move(party)));
  acceptor->port_ = port;
  HAWSER_ASSIGN(auto addresses,
                sockets::resolve(address, static_cast<std::uint16_t>(port), sockets::Use::listen));
  std::optional<Error> last;
  for (const SocketAddress& one : addresses) {
    if (port == 0 && !acceptor->sockets_.empty()) break;  // others would get other ports
    UniqueFd socket = sockets::open_socket(one.ip.family);
    const int err = socket.valid() ? sockets::listen_on(socket, one) : errno;
    if (err == 0)
      acceptor->sockets_.push_back(std::move(socket));
    else if (err == EADDRNOTAVAIL || err == EAFNOSUPPORT)
      last = cannot_listen(err, one.text());
    else
      return cannot_listen(err, one.text());
  }
  if (acceptor->sockets_.empty()) return *last;
  HAWSER_ASSIGN(const SocketAddress own, sockets::local_address(acceptor->sockets_.front().get()));
  acceptor->port_ = own.port;
  return acceptor;
}

void AcceptorCore::interests(std::vector<Interest>& into) {
  const std::lock_guard polling(polling_);
  for (const UniqueFd& socket : sockets_) into.push_back({socket.get(), false});
  for (const Candidate& candidate : candidates_)
    into.push_back({candidate.control->fd(), candidate.control->wants_to_write()});
}

bool AcceptorCore::poll(TimePoint now, bool ready) {
  const std::lock_guard polling(polling_);
  if (sockets_.empty()) return false;  // it was closed
  if (ready) take_in(now);
  std::erase_if(candidates_, [&](Candidate& candidate) { return !look_at(candidate, now); });
  return true;
}

void AcceptorCore::take_in(TimePoint now) {
  for (const UniqueFd& socket : sockets_) {
    while (true) {
      SocketAddress peer;
      UniqueFd caller = sockets::accept_one(socket.get(), &peer);
      if (!caller.valid()) break;
      sockets::set_connection_options(caller.get());
      // The oldest that has said nothing makes room.
      if (candidates_.size() == kMaxCandidates) candidates_.erase(candidates_.begin());
      candidates_.push_back(
          {std::make_shared<ControlLine>(std::move(caller), peer.text()), now, std::nullopt});
    }
  }
}

// False: it is no candidate any more.
bool AcceptorCore::look_at(Candidate& candidate, TimePoint now) {
  const Status read = candidate.control->read([&](const wire::Record& record) -> Status {
    const auto* const hello = std::get_if<wire::Hello>(&record);
    if (hello == nullptr || candidate.hello)
      return Error(Code::protocol, fmt::format("a {} where a Hello was due", record_name(record)));
    candidate.hello = *hello;
    return {};
  });
  if (!read.ok()) {
    log_info("port {}: {} is not let in: {}", port_, candidate.control->peer(),
             read.error().message());
    if (read.error().code() == Code::protocol)
      candidate.control->send(wire::Refuse{read.error().message()});
    return false;
  }
  if (candidate.hello) {
    welcome(candidate);
    return false;
  }
  if (now - candidate.came_at < kGreeting) return true;
  log_info("port {}: {} said no Hello for {} ms", port_, candidate.control->peer(),
           kGreeting.count());
  return false;
}

void AcceptorCore::welcome(Candidate& candidate) {
  const std::shared_ptr<EngineCore> engine = engine_.lock();
  if (engine == nullptr) return;
  auto agreement = agree(*engine, party_, *candidate.hello, candidate.control->peer());
  if (!agreement.ok()) {
    log_warning("port {}: {} is refused: {}", port_, candidate.control->peer(),
                agreement.error().message());
    candidate.control->send(wire::Refuse{agreement.error().message()});
    return;
  }
  const auto added = engine->add_link(std::move(agreement->terms), candidate.control);
  if (!added.ok()) return;
  candidate.control->send(agreement->welcome);
  const std::shared_ptr<LinkCore>& link = *added;
  link->on_up = [self = weak_from_this(), weak = std::weak_ptr(link)] {
    const auto acceptor = self.lock();
    const auto up = weak.lock();
    if (acceptor && up) acceptor->link_up(up);
  };
  link->start();
}

void AcceptorCore::link_up(std::shared_ptr<LinkCore> link) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      links_.push_back(std::move(link));
      // Here, so that whoever has accepted it finds the bell rung, and not rung later.
      if (const auto engine = engine_.lock()) engine->bell().ring();
    }
  }
  if (link != nullptr)
    link->close(Error(Code::cancelled, "its port was closed"), "the port was closed meanwhile");
  arrived_.notify_one();
}

std::shared_ptr<LinkCore> AcceptorCore::try_accept() {
  const std::lock_guard lock(mutex_);
  if (links_.empty()) return nullptr;
  auto link = std::move(links_.front());
  links_.pop_front();
  return link;
}

Result<std::shared_ptr<LinkCore>> AcceptorCore::accept(int timeout_ms) {
  std::unique_lock lock(mutex_);
  const auto something = [this] { return closed_ || !links_.empty(); };
  if (timeout_ms < 0)
    arrived_.wait(lock, something);
  else
    arrived_.wait_for(lock, Milliseconds(timeout_ms), something);
  if (!links_.empty()) {
    auto link = std::move(links_.front());
    links_.pop_front();
    return link;
  }
  if (closed_) return Error(Code::cancelled, fmt::format("port {} was closed", port_));
  return Error(Code::timeout,
               fmt::format("no link came to port {} within {} ms", port_, timeout_ms));
}

// The port is free when this returns. Links that nobody has accepted end.
void AcceptorCore::close() {
  std::deque<std::shared_ptr<LinkCore>> unwanted;
  {
    const std::lock_guard polling(polling_);
    // As long as the control thread waits for it in poll(2) a socket outlives its descriptor, and
    // would go on to take in connections.
    for (const UniqueFd& socket : sockets_) ::shutdown(socket.get(), SHUT_RDWR);
    sockets_.clear();
    candidates_.clear();
  }
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    unwanted.swap(links_);
  }
  arrived_.notify_all();
  const std::string_view reason = "nobody accepted it before its port was closed";
  for (const auto& link : unwanted)
    link->close(Error(Code::cancelled, std::string(reason)), reason);
}

}  // namespace hawser::engine
