#include "control/line.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/endian.h"
#include "base/socket.h"
#include "control/stranger.h"

namespace hawser::control {
namespace {

constexpr std::size_t kReadBytes = 16 * 1024;

}  // namespace

Line::Line(UniqueFd socket, std::string peer, const Protocol& protocol,
           std::vector<std::byte> unread)
    : socket_(std::move(socket)),
      peer_(std::move(peer)),
      protocol_(protocol),
      heard_at_(Clock::system().now()),
      incoming_(std::move(unread)) {}

bool Line::send(std::span<const std::byte> frame) {
  const std::lock_guard lock(mutex_);
  if (broken_ || unsent_.size() > kMaxUnsent) return false;
  unsent_.insert(unsent_.end(), frame.begin(), frame.end());
  push();
  return !broken_;
}

void Line::flush() {
  const std::lock_guard lock(mutex_);
  push();
}

bool Line::wants_to_write() const {
  const std::lock_guard lock(mutex_);
  return !unsent_.empty();
}

bool Line::broken() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

void Line::push() {
  while (!unsent_.empty()) {
    const sockets::Transfer sent = sockets::send_some(socket_.get(), unsent_);
    if (sent.state == sockets::Transfer::State::would_block) return;
    broken_ = sent.state != sockets::Transfer::State::some;
    if (broken_) return unsent_.clear();
    unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(sent.bytes));
  }
}

Status Line::receive(std::size_t most_unread) {
  incoming_.erase(incoming_.begin(), incoming_.begin() + static_cast<std::ptrdiff_t>(consumed_));
  consumed_ = 0;
  std::array<std::byte, kReadBytes> buffer;
  while (incoming_.size() < most_unread) {
    const sockets::Transfer got = sockets::receive_some(socket_.get(), buffer);
    switch (got.state) {
      case sockets::Transfer::State::would_block:
        return {};
      case sockets::Transfer::State::closed:
        closed_ = true;
        return Error(Code::peer, fmt::format("{} closed the control connection", peer_));
      case sockets::Transfer::State::failed:
        return Error(got.err == ETIMEDOUT ? Code::timeout : Code::peer,
                     fmt::format("the control connection to {} {}", peer_,
                                 sockets::describe_connection_error(got.err)));
      case sockets::Transfer::State::some:
        break;
    }
    heard_at_.store(Clock::system().now(), std::memory_order_relaxed);
    received_ += got.bytes;
    incoming_.insert(incoming_.end(), buffer.begin(),
                     buffer.begin() + static_cast<std::ptrdiff_t>(got.bytes));
  }
  return {};
}

bool Line::speaks_protocol() const {
  const auto bytes = unread();
  return bytes.size() >= sizeof protocol_.magic &&
         load_le<std::uint32_t>(bytes.data()) == protocol_.magic;
}

Result<std::optional<std::span<const std::byte>>> Line::next_frame() {
  const auto bytes = unread();
  if (bytes.size() >= sizeof protocol_.magic && !speaks_protocol())
    return Error(Code::protocol, describe_stranger(bytes));
  std::optional<std::span<const std::byte>> frame;
  if (bytes.size() < protocol_.header_bytes) return frame;
  HAWSER_ASSIGN(const std::size_t length,
                protocol_.frame_length(bytes.first(protocol_.header_bytes)));
  if (bytes.size() < length) return frame;
  frame = bytes.first(length);
  consumed_ += length;
  return frame;
}

Status Line::discard() {
  const Status received = receive();
  consumed_ = incoming_.size();
  return received;
}

Status Line::read(const std::function<Status(std::span<const std::byte> frame)>& take) {
  const Status received = receive();
  while (true) {
    HAWSER_ASSIGN(const auto frame, next_frame());
    if (!frame) return received;
    HAWSER_TRY(take(*frame));
  }
}

// Closing over bytes that nobody has read would take away what the peer is to read.
void Line::end() {
  static_cast<void>(discard());
  const std::lock_guard lock(mutex_);
  push();
  ::shutdown(socket_.get(), SHUT_RDWR);
  socket_.reset();
  broken_ = true;
  unsent_.clear();
}

void Line::shut() {
  ::shutdown(socket_.get(), SHUT_RDWR);
}

void Line::refuse(std::string_view reason) {
  // Closing over bytes that nobody has read would take the refusal away again.
  static_cast<void>(receive(incoming_.size() + kReadBytes).ok());
  send(protocol_.refusal(reason));
  ::shutdown(socket_.get(), SHUT_WR);
}

}  // namespace hawser::control
