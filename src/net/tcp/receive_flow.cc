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

std::span<std::byte> make_stage(CarefulCopies& copies, std::size_t bytes) {
  return {copies.make_own(bytes), bytes};
}

}  // namespace

ReceiveFlow::ReceiveFlow(Connection connection, ReceiveBoard& board, Failure& failure, Role role)
    : connection_(std::move(connection)),
      board_(board),
      failure_(failure),
      role_(role),
      copies_(connection_.device->page_file),
      stage_(make_stage(copies_, role == Role::first ? kFirstStageBytes : kStageBytes)) {}

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
    if (bear_fault(result)) continue;
    if (result.state != sockets::Transfer::State::some) return stop(result);
    account(result.bytes);
  }
  // What has been read is taken: whoever waits for the socket must not wait for what is here.
  return parse() == Parsed::failed ? Wait::never : Wait::nothing;
}

// Takes whole headers, and the payload behind them, out of the stage.
ReceiveFlow::Parsed ReceiveFlow::parse() {
  while (true) {
    const Result<bool> taken = take_payload();
    if (!taken.ok()) {
      fail(taken.error());
      return Parsed::failed;
    }
    if (!*taken) return Parsed::needs_bytes;
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
}

// Whether the piece that is being read, if any, is complete. Of its trailer only the first byte is
// waited for.
Result<bool> ReceiveFlow::take_payload() {
  if (message_ != nullptr) {
    take_staged();
    if (left_ > 0 || stage_.size() == 0) return false;
    HAWSER_ASSIGN(const DataState state, decode_trailer(*stage_.data()));
    stage_.drop(1);
    --skip_;
    board_.finish(*message_, piece_, state == DataState::is_void ? Lost::peers : lost_);
    message_ = nullptr;
  }
  const std::size_t skipped = std::min(skip_, stage_.size());
  stage_.drop(skipped);
  skip_ -= skipped;
  return skip_ == 0;
}

void ReceiveFlow::take_staged() {
  const auto staged = static_cast<std::size_t>(std::min<std::uint64_t>(left_, stage_.size()));
  if (staged == 0) return;
  if (message_->may_vanish) {
    const BlockCopy block{to_, stage_.data(), staged};
    if (lost_ == Lost::nothing && copies_.copy({&block, 1}).err != 0) lost_ = Lost::own;
    stage_.drop(staged);
  } else {
    stage_.take(to_, staged);
  }
  to_ += staged;
  left_ -= staged;
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
  lost_ = Lost::nothing;
  piece_ = header;
  large_ = header.bytes >= kDirectBytes;
  return true;
}

// How many bytes to take at most beyond the piece that is being read.
std::size_t ReceiveFlow::ahead() const {
  const std::size_t next_data = skip_ + kHeaderBytes - std::min(kHeaderBytes, stage_.size());
  if (role_ == Role::first && board_.awaited() == 1)
    return message_ != nullptr ? 1 : next_data + std::min(board_.last_capacity(), kDirectBytes) + 1;
  return large_ ? next_data : SIZE_MAX;
}

// The rest of the piece goes straight to its buffer, what follows it to the stage, which holds no
// payload at this point; all to the stage where the buffer is lost. Where one message is awaited,
// the most of its trailer stays in the socket.
sockets::Transfer ReceiveFlow::read_round() {
  if (left_ > 0 && lost_ != Lost::nothing) {
    std::array<iovec, 1> all{stage_.room(SIZE_MAX)};
    return sockets::receive_some(fd(), std::span(all));
  }
  std::array<iovec, 2> parts{iovec{to_, left_}, stage_.room(ahead())};
  if (left_ == 0) return sockets::receive_some(fd(), std::span(parts).last(1));
  return sockets::receive_some(fd(), std::span(parts));
}

void ReceiveFlow::account(std::size_t got) {
  used_ = true;
  const std::size_t direct = lost_ == Lost::nothing ? std::min<std::size_t>(got, left_) : 0;
  to_ += direct;
  left_ -= direct;
  stage_.filled(got - direct);
}

// The user's memory is not there any more: the rest of the piece goes nowhere, all else goes on.
bool ReceiveFlow::bear_fault(const sockets::Transfer& result) {
  if (result.state != sockets::Transfer::State::failed || result.err != EFAULT) return false;
  if (left_ == 0 || !message_->may_vanish || lost_ != Lost::nothing) return false;
  lost_ = Lost::own;
  return true;
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
