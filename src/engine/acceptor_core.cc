#include "engine/acceptor_core.h"

#include <fmt/core.h>

#include <cerrno>
#include <utility>

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
    const std::shared_ptr<EngineCore>& engine, const LinkOptions& options,
    const std::string& address, int port) {
  if (port < 0 || port > 65535)
    return Error(Code::invalid_argument, fmt::format("{} is no port", port));
  HAWSER_ASSIGN(auto addresses,
                sockets::resolve(address, static_cast<std::uint16_t>(port), sockets::Use::listen));
  std::vector<control::Listener::Port> ports;
  std::optional<Error> last;
  for (const SocketAddress& one : addresses) {
    if (port == 0 && !ports.empty()) break;  // others would get other ports
    UniqueFd socket = sockets::open_socket(one.ip.family);
    const int err = socket.valid() ? sockets::listen_on(socket, one) : errno;
    if (err == 0)
      ports.push_back({std::move(socket)});
    else if (err == EADDRNOTAVAIL || err == EAFNOSUPPORT)
      last = cannot_listen(err, one.text());
    else
      return cannot_listen(err, one.text());
  }
  if (ports.empty()) return *last;
  HAWSER_ASSIGN(const SocketAddress own, sockets::local_address(ports.front().socket.get()));
  return share_in_one_process(new AcceptorCore(engine, options, own.port, std::move(ports)));
}

// Whatever probes the port of a server that runs for long is not worth a warning.
AcceptorCore::AcceptorCore(const std::shared_ptr<EngineCore>& engine, LinkOptions options, int port,
                           std::vector<control::Listener::Port> ports)
    : engine_(engine),
      options_(std::move(options)),
      port_(port),
      listener_(std::move(ports), kControlProtocol,
                {fmt::format("port {}", port), LogLevel::info}) {}

void AcceptorCore::interests(std::vector<Interest>& into) {
  const std::lock_guard polling(polling_);
  std::vector<pollfd> descriptors;
  listener_.interests(descriptors);
  for (const pollfd& one : descriptors) into.push_back({one.fd, false});
}

bool AcceptorCore::poll(TimePoint, bool) {
  const std::lock_guard polling(polling_);
  if (!listener_.open()) return false;  // it was closed
  listener_.poll([this](std::unique_ptr<control::Line>& line, std::span<const std::byte> frame,
                        int) { return decide(line, frame); });
  return true;
}

Status AcceptorCore::decide(std::unique_ptr<control::Line>& line,
                            std::span<const std::byte> frame) {
  std::optional<wire::Hello> hello;
  HAWSER_TRY(read_records(frame, [&](const wire::Record& record) -> Status {
    const auto* const said = std::get_if<wire::Hello>(&record);
    if (said == nullptr || hello)
      return Error(Code::protocol, fmt::format("a {} where a Hello belongs", record_name(record)));
    hello = *said;
    return {};
  }));
  return welcome(line, *hello);
}

Status AcceptorCore::welcome(std::unique_ptr<control::Line>& line, const wire::Hello& hello) {
  const std::shared_ptr<EngineCore> engine = engine_.lock();
  if (engine == nullptr) return Error(Code::cancelled, "this side is ending");
  // NICs may have come and gone since the port was opened.
  HAWSER_ASSIGN(const Party party, make_party(*engine, options_));
  HAWSER_ASSIGN(Agreement agreement, agree(*engine, party, hello, line->peer()));
  HAWSER_TRY(engine->admit(line->peer(), agreement.terms.channels.size()));
  const auto control = std::make_shared<ControlLine>(std::move(line));
  const auto added = engine->add_link(std::move(agreement.terms), control);
  if (!added.ok()) return {};
  control->send(agreement.welcome);
  const std::shared_ptr<LinkCore>& link = *added;
  link->on_up = [self = weak_from_this(), weak = std::weak_ptr(link)] {
    const auto acceptor = self.lock();
    const auto up = weak.lock();
    if (acceptor && up) acceptor->link_up(up);
    if (!acceptor && up)  // it was closed just before
      up->close(Error(Code::cancelled, "its port was closed"), "the port was closed meanwhile");
  };
  link->start();
  return {};
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
    listener_.close();
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
