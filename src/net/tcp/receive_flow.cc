#include "net/tcp/receive_flow.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace hawser::tcp {
namespace {

// Reads per call of drive(), so that a fast sender cannot keep whoever drives here.
constexpr int kMaxReads = 4;
// Behind a piece of this size only the next header is read ahead: more would be copied twice.
constexpr std::uint64_t kDirectBytes = 16 * 1024;
// Small messages travel on the first flow.
constexpr std::size_t kFirstStageBytes = 64 * 1024;
constexpr std::size_t kStageBytes = 4 * 1024;

}  // namespace

ReceiveFlow::ReceiveFlow(Connection connection, ReceiveBoard& board, Failure& failure, Role role)
    : connection_(std::move(connection)),
      board_(board),
      failure_(failure),
      role_(role),
      stage_(role == Role::first ? kFirstStageBytes : kStageBytes) {}

IoTask::Wait ReceiveFlow::drive() {
  if (ended() || failure_.get() != nullptr) return Wait::never;
  for (int round = 0; round < kMaxReads; ++round) {
    switch (parse()) {
      case Parsed::failed:
        return Wait::never;
      case Parsed::needs_receive:
        parked_.store(true, std::memory_order_release);
        return Wait::kick;
      case Parsed::needs_bytes:
        parked_.store(false, std::memory_order_release);
        break;
    }
    if (role_ != Role::threaded && message_ == nullptr && board_.awaited() == 0) return Wait::kick;
    const sockets::Transfer result = read_round();
    if (result.state == sockets::Transfer::State::would_block) return Wait::socket;
    if (result.state != sockets::Transfer::State::some) return stop(result);
    account(result.bytes);
  }
  // What has been read is taken: whoever waits for the socket must not wait for what is here.
  return parse() == Parsed::failed ? Wait::never : Wait::nothing;
}

// Takes whole headers, and the payload behind them, out of the stage.
ReceiveFlow::Parsed ReceiveFlow::parse() {
  while (take_payload()) {
    if (stage_.size() < kHeaderBytes) return Parsed::needs_bytes;
    auto header =
        decode_header(std::span<const std::byte, kHeaderBytes>(stage_.data(), kHeaderBytes));
    Result<bool> begun = header.ok() ? begin_frame(*header) : Result<bool>(header.error());
    if (!begun.ok()) {
      fail(begun.error());
      return Parsed::failed;
    }
    if (!*begun) return Parsed::needs_receive;
    stage_.drop(kHeaderBytes);
    skip_ = trailer_bytes(header->bytes);
  }
  return Parsed::needs_bytes;
}

// Whether the piece that is being read, if any, is complete. Its trailer need not be there.
bool ReceiveFlow::take_payload() {
  if (message_ != nullptr) {
    const std::size_t taken = stage_.take(to_, left_);
    to_ += taken;
    left_ -= taken;
    if (left_ > 0) return false;
    board_.finish(*message_, piece_);
    message_ = nullptr;
  }
  const std::size_t skipped = std::min(skip_, stage_.size());
  stage_.drop(skipped);
  skip_ -= skipped;
  return skip_ == 0;
}

// False: its receive is not posted.
Result<bool> ReceiveFlow::begin_frame(const FrameHeader& header) {
  if (header.type == FrameType::flows && role_ == Role::first) {
    announced_flows_ = static_cast<unsigned>(header.total);
    return true;
  }
  if (header.type != FrameType::piece)
    return Error(Code::protocol, fmt::format("a frame of type {} where a message was due",
                                             static_cast<unsigned>(header.type)));
  HAWSER_ASSIGN(const ReceiveBoard::Place place,
                board_.find(header, role_ == Role::threaded && !listed_ ? this : nullptr));
  listed_ = place.message == nullptr;
  if (listed_) return false;
  message_ = place.message;
  to_ = place.data;
  left_ = header.bytes;
  piece_ = header;
  large_ = header.bytes >= kDirectBytes;
  return true;
}

// How many bytes to take at most beyond the piece that is being read.
std::size_t ReceiveFlow::ahead() const {
  const std::size_t next_data = skip_ + kHeaderBytes - std::min(kHeaderBytes, stage_.size());
  if (role_ == Role::first && board_.awaited() == 1)
    return message_ != nullptr ? 0 : next_data + std::min(board_.last_capacity(), kDirectBytes);
  return large_ ? next_data : SIZE_MAX;
}

// The rest of the piece goes straight to its buffer, what follows it to the stage, which holds no
// payload at this point. Where one message is awaited, its trailer stays in the socket.
sockets::Transfer ReceiveFlow::read_round() {
  std::array<iovec, 2> parts{iovec{to_, left_}, stage_.room(ahead())};
  if (left_ == 0) return sockets::receive_some(fd(), std::span(parts).last(1));
  if (parts[1].iov_len == 0) return sockets::receive_some(fd(), std::span(parts).first(1));
  return sockets::receive_some(fd(), std::span(parts));
}

void ReceiveFlow::account(std::size_t got) {
  used_ = true;
  const std::size_t direct = std::min<std::size_t>(got, left_);
  to_ += direct;
  left_ -= direct;
  stage_.filled(got - direct);
}

// A sender that closes a further flow before it has read the welcome resets it, and means no more
// by that than by closing the others.
IoTask::Wait ReceiveFlow::stop(const sockets::Transfer& result) {
  const bool closed = result.state == sockets::Transfer::State::closed;
  const bool never_joined = !closed && role_ != Role::first && !used_ && result.err == ECONNRESET;
  if (never_joined || (closed && message_ == nullptr && stage_.size() == 0))
    ended_.store(true, std::memory_order_release);
  else if (closed)
    fail(Error(Code::peer, "the sender closed the connection"));
  else
    fail(sockets::io_error(result.err, "reading"));
  return Wait::never;
}

void ReceiveFlow::fail(Error why) {
  failure_.set(why.within(fmt::format("receiving over {}", connection_.text())));
}

}  // namespace hawser::tcp
