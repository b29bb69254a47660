#include "support/bootstrap_fixture.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/socket.h"

namespace hawser::test {
namespace {

constexpr int kReceiveTimeoutSeconds = 20;

void set_receive_timeout(int socket) {
  const timeval timeout{kReceiveTimeoutSeconds, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
}

}  // namespace

ListeningServer listen_somewhere(const std::string& address, int gpu, int channels) {
  auto ports = std::make_unique<PortRange>();
  const int base = ports->base();
  auto server = RendezvousServer::listen(address, base, gpu, channels);
  if (!server.ok()) ADD_FAILURE() << server.error().message();
  return {std::move(ports), server.ok() ? std::move(*server) : nullptr, base};
}

wire::Hello good_hello() {
  wire::Hello hello;
  hello.max_request_bytes = 1 << 20;
  hello.memory = 1;
  hello.transport = "TCP";
  return hello;
}

wire::Plan good_plan() {
  wire::Plan plan;
  plan.channels = 4;
  plan.iterations = 1;
  plan.timeout_ms = 30000;
  plan.bytes = 16777216;
  plan.chunk_bytes = 524288;
  plan.seed = 0x123456789abcdef0;
  plan.transport = "TCP";
  return plan;
}

Result<wire::Plan> agree(const wire::Hello&) {
  return good_plan();
}

CapturedLog::CapturedLog(LogLevel level) : before_(log_level()) {
  set_log_level(level);
  set_log_sink([this](LogLevel, std::string_view line) {
    const std::lock_guard lock(mutex_);
    lines_.emplace_back(line);
    changed_.notify_all();
  });
}

CapturedLog::~CapturedLog() {
  set_log_sink({});
  set_log_level(before_);
}

std::vector<std::string> CapturedLog::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

int CapturedLog::count(const std::string& part) const {
  const std::lock_guard lock(mutex_);
  return count_locked(part);
}

int CapturedLog::count_locked(const std::string& part) const {
  return static_cast<int>(std::count_if(lines_.begin(), lines_.end(), [&](const auto& line) {
    return line.find(part) != std::string::npos;
  }));
}

bool CapturedLog::wait_for(const std::string& part, std::chrono::milliseconds timeout,
                           int lines) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return count_locked(part) >= lines; });
}

Accepting::Accepting(RendezvousServer& server, RendezvousServer::Decide decide,
                     std::chrono::milliseconds timeout)
    : server_(server), thread_([this, decide = std::move(decide), timeout] {
        result_.emplace(server_.accept(decide, Deadline::after(timeout)));
      }) {}

Accepting::~Accepting() {
  server_.stop();
  if (thread_.joinable()) thread_.join();
}

Result<Rendezvous>& Accepting::result() {
  if (thread_.joinable()) thread_.join();
  return *result_;
}

RawPeer RawPeer::connect(const std::string& address, int port) {
  const auto addresses =
      sockets::resolve(address, static_cast<std::uint16_t>(port), sockets::Use::connect);
  if (!addresses.ok()) return RawPeer(UniqueFd());
  const auto& to = addresses->front();
  sockaddr_storage storage;
  const socklen_t bytes = to.fill(storage);
  UniqueFd socket(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  set_receive_timeout(socket.get());
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&storage), bytes) != 0)
    socket.reset();
  return RawPeer(std::move(socket));
}

bool RawPeer::send(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawPeer::send(const std::string& text) {
  return send(std::as_bytes(std::span(text.data(), text.size())));
}

std::optional<wire::Message> RawPeer::receive() {
  std::array<std::byte, 8192> bytes;
  while (true) {
    auto message = decoder_.next();
    if (!message.ok()) return std::nullopt;
    if (message->has_value()) return std::move(**message);
    const auto got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (got <= 0) return std::nullopt;
    decoder_.feed(std::span(bytes).first(static_cast<std::size_t>(got)));
  }
}

bool RawPeer::closed_by_peer() {
  std::array<std::byte, 8192> bytes;
  ssize_t got = 0;
  do {
    got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
  } while (got > 0);
  return got == 0 || errno == ECONNRESET;
}

void RawPeer::reset() {
  const linger abort{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  socket_.reset();
}

std::unique_ptr<control::Line> line_of(UniqueFd socket, std::vector<std::byte> unread) {
  return std::make_unique<control::Line>(std::move(socket), "the peer", wire::protocol(),
                                         std::move(unread));
}

std::pair<UniqueFd, UniqueFd> connected_pair() {
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  ::bind(listener.get(), generic, bytes);
  ::listen(listener.get(), 1);
  ::getsockname(listener.get(), generic, &bytes);
  UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(client.get(), generic, bytes), 0);
  UniqueFd server(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  set_receive_timeout(client.get());
  set_receive_timeout(server.get());
  return {std::move(client), std::move(server)};
}

int open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<int>(std::distance(begin(all), end(all)));
}

}  // namespace hawser::test
