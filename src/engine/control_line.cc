#include "engine/control_line.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "base/endian.h"
#include "base/socket.h"
#include "bootstrap/wire.h"

namespace hawser::engine {

ControlLine::ControlLine(UniqueFd socket, std::string peer)
    : socket_(std::move(socket)), peer_(std::move(peer)), heard_at_(Clock::system().now()) {}

void ControlLine::send(const wire::Record& record) {
  std::array<std::byte, wire::kFrameBytes> buffer;
  wire::FrameBuilder frame(buffer);
  frame.add(record);
  const std::span<const std::byte> whole = frame.finish();
  const std::lock_guard lock(mutex_);
  if (unsent_.size() > kMaxUnsent) return;  // nobody reads: silence will tell
  unsent_.insert(unsent_.end(), whole.begin(), whole.end());
  push();
}

void ControlLine::flush() {
  const std::lock_guard lock(mutex_);
  push();
}

bool ControlLine::wants_to_write() const {
  const std::lock_guard lock(mutex_);
  return !unsent_.empty();
}

void ControlLine::push() {
  while (!unsent_.empty()) {
    const sockets::Transfer sent = sockets::send_some(socket_.get(), unsent_);
    if (sent.state == sockets::Transfer::State::failed) unsent_.clear();
    if (sent.state != sockets::Transfer::State::some) return;
    unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(sent.bytes));
  }
}

Status ControlLine::read(const std::function<Status(const wire::Record&)>& take) {
  constexpr int kReads = 8;
  for (int i = 0; i < kReads; ++i) {
    std::array<std::byte, wire::kFrameBytes> buffer;
    const sockets::Transfer got = sockets::receive_some(socket_.get(), buffer);
    switch (got.state) {
      case sockets::Transfer::State::would_block:
        return {};
      case sockets::Transfer::State::closed:
        return Error(Code::peer, fmt::format("{} closed the control connection", peer_));
      case sockets::Transfer::State::failed:
        return Error(Code::peer, fmt::format("the control connection to {} {}", peer_,
                                             sockets::describe_connection_error(got.err)));
      case sockets::Transfer::State::some:
        break;
    }
    heard_at_.store(Clock::system().now(), std::memory_order_relaxed);
    received_ += got.bytes;
    incoming_.insert(incoming_.end(), buffer.begin(),
                     buffer.begin() + static_cast<std::ptrdiff_t>(got.bytes));
    HAWSER_TRY(take_frames(take));
  }
  return {};
}

Status ControlLine::take_frames(const std::function<Status(const wire::Record&)>& take) {
  std::span<const std::byte> left(incoming_);
  while (left.size() >= wire::kFrameHeaderBytes) {
    const auto length = wire::frame_length(left.first<wire::kFrameHeaderBytes>());
    if (!length.ok()) {
      if (load_le<std::uint32_t>(left.data()) == wire::kMagic) return length.error();
      return Error(Code::protocol, hawser::wire::describe_stranger(left));
    }
    if (left.size() < *length) break;
    HAWSER_ASSIGN(wire::FrameReader reader, wire::FrameReader::open(left.first(*length)));
    while (true) {
      HAWSER_ASSIGN(const std::optional<wire::Record> record, reader.next());
      if (!record) break;
      HAWSER_TRY(take(*record));
    }
    left = left.subspan(*length);
  }
  incoming_.erase(incoming_.begin(),
                  incoming_.begin() + static_cast<std::ptrdiff_t>(incoming_.size() - left.size()));
  return {};
}

void ControlLine::shut() {
  ::shutdown(socket_.get(), SHUT_RDWR);
}

}  // namespace hawser::engine
