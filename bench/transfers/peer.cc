#include "transfers/peer.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstring>

#include "base/clock.h"
#include "memory/pattern.h"

namespace hawser::bench {

Status Peer::open(const Setup& setup) {
  EngineOptions options;
  options.plugin = "builtin";
  options.threads = setup.threads;
  options.chunk_bytes = setup.chunk_bytes;
  HAWSER_ASSIGN(engine_, Engine::create(options));
  std::shared_ptr<Gpu> gpu;
  if (setup.gpu >= 0) {
    HAWSER_ASSIGN(const std::shared_ptr<const CudaDriver> driver, CudaDriver::load());
    HAWSER_ASSIGN(gpu, Gpu::open(driver, setup.gpu));
  }
  for (int i = 0; i < 2; ++i) {
    auto buffer = gpu ? Buffer::cuda(gpu, setup.buffer_bytes) : Buffer::host(setup.buffer_bytes);
    if (!buffer.ok()) return buffer.error();
    buffers_.push_back(*std::move(buffer));
    HAWSER_ASSIGN(Region region,
                  engine_->register_memory(buffers_.back().range().data, setup.buffer_bytes));
    regions_.push_back(std::move(region));
  }
  return {};
}

Result<std::unique_ptr<Peer>> Peer::serve(const Setup& setup, int tell_fd) {
  std::unique_ptr<Peer> peer(new Peer);
  HAWSER_TRY(peer->open(setup));
  LinkOptions options;
  options.gpu = setup.gpu;
  options.channels_per_device = setup.channels;
  HAWSER_ASSIGN(peer->acceptor_, peer->engine_->listen("127.0.0.1", 0, options));
  const int port = peer->acceptor_->port();
  if (::write(tell_fd, &port, sizeof port) != sizeof port)
    return Error(Code::system, "the other process is gone");
  HAWSER_ASSIGN(peer->link_, peer->acceptor_->accept(60'000));
  HAWSER_TRY(peer->exchange());
  return peer;
}

Result<std::unique_ptr<Peer>> Peer::call(const Setup& setup) {
  std::unique_ptr<Peer> peer(new Peer);
  HAWSER_TRY(peer->open(setup));
  LinkOptions options;
  options.gpu = setup.gpu;
  options.channels_per_device = setup.channels;
  HAWSER_ASSIGN(peer->link_, peer->engine_->connect("127.0.0.1", setup.port, options));
  HAWSER_TRY(peer->exchange());
  return peer;
}

Status Peer::exchange() {
  const std::vector<std::byte> token = regions_[1].token();
  HAWSER_TRY(tell(std::string(reinterpret_cast<const char*>(token.data()), token.size())));
  HAWSER_ASSIGN(const std::string theirs, hear());
  HAWSER_ASSIGN(remote_, RemoteRegion::from_token(std::as_bytes(std::span(theirs))));
  return {};
}

Peer::~Peer() = default;

Status Peer::tell(const std::string& text) {
  return link_.notify(text).result();
}

Result<std::string> Peer::hear(int timeout_ms) {
  const Deadline deadline = Deadline::after(Milliseconds(timeout_ms));
  Backoff backoff;
  while (true) {
    if (auto notification = link_.take_notification()) return std::move(notification->text);
    HAWSER_TRY(link_.status());
    if (deadline.expired()) return Error(Code::timeout, "the other process says nothing");
    backoff.idle();
  }
}

Status Peer::fill(std::uint64_t seed) {
  return write_pattern({seed, 0, 0}, buffers_[0], buffers_[0].range().bytes);
}

Status Peer::check(std::uint64_t seed, std::uint64_t bytes) {
  HAWSER_ASSIGN(const auto wrong, check_pattern({seed, 0, 0}, buffers_[1], bytes));
  if (!wrong) return {};
  return Error(Code::data, fmt::format("the byte at {} is wrong", wrong->offset));
}

}  // namespace hawser::bench
