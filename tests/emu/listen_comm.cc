#include "listen_comm.h"

#include <cerrno>
#include <utility>

namespace emu {
namespace {

constexpr std::size_t kMaxHalfOpen = 8;

}  // namespace

ListenComm::ListenComm(Services services, CommInfo info, Socket socket, std::uint64_t nonce)
    : services_(services), info_(info), socket_(std::move(socket)), nonce_(nonce) {}

void ListenComm::drop(const char* why) {
  services_.stats.bad_peers.fetch_add(1, std::memory_order_relaxed);
  services_.report.warn("channel %d: a connection was dropped: %s", info_.channel, why);
}

void ListenComm::take_connections() {
  for (std::size_t i = 0; i < kMaxHalfOpen; ++i) {
    Socket socket = socket_.accept();
    if (!socket.usable()) {
      broken_ = broken_ || errno == EBADF;
      return;
    }
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

std::optional<Socket> ListenComm::answer(FrameKind kind) {
  const FrameBytes bytes = encode({kind, 0, nonce_});
  std::optional<Socket> socket = std::exchange(greeted_, std::nullopt);
  if (socket->send(bytes.data(), bytes.size()).bytes == bytes.size()) return socket;
  drop("it went away after its hello");
  return std::nullopt;
}

bool ListenComm::poll() {
  if (greeted_) return true;
  take_connections();
  if (!std::exchange(polled_, true)) return false;
  for (auto peer = half_open_.begin(); peer != half_open_.end();) {
    const Hello hello = read_hello(*peer);
    if (hello == Hello::right) {
      greeted_ = std::move(peer->socket);
      half_open_.erase(peer);
      return true;
    }
    if (hello == Hello::waiting) {
      ++peer;
      continue;
    }
    drop("it did not say the hello of this listener");
    peer = half_open_.erase(peer);
  }
  return false;
}

}  // namespace emu
