#include "listen_comm.h"

namespace emu {
namespace {

constexpr std::size_t kMaxHalfOpen = 8;

}  // namespace

ListenComm::ListenComm(Services services, CommInfo info, Place place, Socket socket,
                       std::uint64_t nonce)
    : services_(services), info_(info), place_(place), socket_(std::move(socket)), nonce_(nonce) {}

void ListenComm::drop(const char* why) {
  services_.stats.bad_peers.fetch_add(1, std::memory_order_relaxed);
  services_.report.warn("channel %d: a connection was dropped: %s", info_.channel, why);
}

void ListenComm::take_connections() {
  for (std::size_t i = 0; i < kMaxHalfOpen; ++i) {
    Socket socket = socket_.accept();
    if (!socket.usable()) return;
    if (half_open_.size() == kMaxHalfOpen) {
      drop("too many that say nothing");
      half_open_.pop_front();
    }
    half_open_.push_back({std::move(socket), {}});
  }
}

ListenComm::Hello ListenComm::read_hello(HalfOpen& peer) const {
  const FrameReader::State state = peer.reader.read(peer.socket);
  if (state == FrameReader::State::waiting) return Hello::waiting;
  if (state == FrameReader::State::ended) return Hello::wrong;
  const std::optional<Frame> frame = peer.reader.frame();
  const bool right = frame && frame->kind == FrameKind::hello && frame->value == nonce_ &&
                     frame->number == static_cast<std::uint32_t>(info_.channel);
  return right ? Hello::right : Hello::wrong;
}

bool ListenComm::welcome(const Socket& socket, std::uint64_t nonce) {
  const FrameBytes bytes = encode({FrameKind::welcome, 0, nonce});
  return socket.send(bytes.data(), bytes.size()).bytes == bytes.size();
}

std::optional<Socket> ListenComm::poll() {
  take_connections();
  if (!std::exchange(polled_, true)) return std::nullopt;
  for (auto peer = half_open_.begin(); peer != half_open_.end();) {
    const Hello hello = read_hello(*peer);
    if (hello == Hello::right && welcome(peer->socket, nonce_)) return std::move(peer->socket);
    if (hello == Hello::waiting) {
      ++peer;
      continue;
    }
    drop("it did not say the hello of this listener");
    peer = half_open_.erase(peer);
  }
  return std::nullopt;
}

}  // namespace emu
