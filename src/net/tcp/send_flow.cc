#include "net/tcp/send_flow.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hawser::tcp {
namespace {

// Writes per call of drive(): more only if the socket takes all of it each time.
constexpr int kMaxWrites = 4;
// With less than this to write, the next pieces go out in the same system call.
constexpr std::size_t kRefillBelow = 16 * 1024;
// Up to so many bytes it is cheaper to copy the data between header and trailer than to name all
// parts.
constexpr std::size_t kSmallBytes = 512;
using Trailer = std::array<std::byte, kMaxTrailerBytes>;
constexpr Trailer kGoodTrailer{static_cast<std::byte>(DataState::good)};
constexpr Trailer kVoidTrailer{static_cast<std::byte>(DataState::is_void)};
// In the place of what cannot be read.
constexpr std::array<std::byte, 16 * 1024> kZeros{};

// The parts of one write: header, data and trailer of each frame, or as many as there is room for.
class PartList {
 public:
  // Of a first frame, `skip` bytes are written already.
  explicit PartList(std::size_t skip) : skip_(skip) {}

  void add(const std::byte* data, std::size_t bytes) {
    const std::size_t skipped = std::min(skip_, bytes);
    skip_ -= skipped;
    if (bytes > skipped && count_ < parts_.size())
      parts_[count_++] = {const_cast<std::byte*>(data + skipped), bytes - skipped};
  }
  void add_zeros(std::uint64_t bytes) {
    while (bytes > 0 && count_ < parts_.size()) {
      const std::uint64_t some = std::min<std::uint64_t>(bytes, kZeros.size());
      add(kZeros.data(), static_cast<std::size_t>(some));
      bytes -= some;
    }
  }
  std::span<iovec> span() { return std::span(parts_).first(count_); }

 private:
  std::array<iovec, 3 * 32> parts_;  // well below IOV_MAX, 1024
  std::size_t count_ = 0;
  std::size_t skip_;
};

}  // namespace

IoTask::Wait SendFlow::drive() {
  for (int round = 0; round < kMaxWrites; ++round) {
    if (pending_ < kRefillBelow && !refill()) return IoTask::Wait::kick;
    const sockets::Transfer result = write_round();
    if (result.state == sockets::Transfer::State::would_block) return IoTask::Wait::socket;
    if (result.state == sockets::Transfer::State::failed && result.err == EFAULT && bear_fault())
      continue;
    if (result.state != sockets::Transfer::State::some) {
      failure_.set(
          sockets::io_error(result.err, fmt::format("sending over {}", connection_.text())));
      return IoTask::Wait::never;
    }
    account(result.bytes);
  }
  return IoTask::Wait::nothing;
}

bool SendFlow::push(const FrameHeader& frame) {
  if (first_ + count_ == kMaxPieces) return false;
  pieces_[first_ + count_++] = Piece{nullptr, nullptr, 0, 0, encode_header(frame)};
  pending_ += frame_bytes(0);
  return true;
}

// False: nothing to write.
bool SendFlow::refill() {
  if (count_ == 0) first_ = 0;
  const auto room = std::span(pieces_).subspan(first_ + count_);
  if (room.empty()) return true;
  const std::size_t taken = queue_.claim(room, taker_);
  for (const Piece& piece : room.first(taken)) pending_ += piece.frame_bytes();
  count_ += taken;
  return count_ > 0;
}

sockets::Transfer SendFlow::write_round() {
  const Piece& only = pieces_[first_];
  const bool may_vanish = only.message != nullptr && only.message->may_vanish;
  if (count_ == 1 && written_ == 0 && only.bytes <= kSmallBytes && !may_vanish)
    return write_small(only);
  PartList parts(written_);
  for (const Piece& piece : std::span(pieces_).subspan(first_, one_by_one_ ? 1 : count_)) {
    parts.add(piece.header.data(), kHeaderBytes);
    if (piece.lost)
      parts.add_zeros(piece.bytes);
    else
      parts.add(piece.data, piece.bytes);
    parts.add((piece.lost ? kVoidTrailer : kGoodTrailer).data(), trailer_bytes(piece.bytes));
  }
  return sockets::send_some(connection_.fd.get(), parts.span());
}

// The kernel could not read what was to be written next: of the first piece, or of one behind it.
// That message is void, others and the connection are not touched. False: it is no user's memory.
bool SendFlow::bear_fault() {
  if (count_ > 1 && !one_by_one_) return one_by_one_ = true;
  Piece& first = pieces_[first_];
  if (first.message == nullptr || !first.message->may_vanish || first.lost) return false;
  first.lost = true;
  first.message->lost.store(true, std::memory_order_relaxed);
  return true;
}

sockets::Transfer SendFlow::write_small(const Piece& piece) {
  std::array<std::byte, frame_bytes(kSmallBytes)> together;
  std::byte* const data = std::copy(piece.header.begin(), piece.header.end(), together.begin());
  if (piece.bytes > 0) std::memcpy(data, piece.data, piece.bytes);
  std::copy_n(kGoodTrailer.begin(), trailer_bytes(piece.bytes), data + piece.bytes);
  return sockets::send_some(connection_.fd.get(), std::span(together).first(piece.frame_bytes()));
}

void SendFlow::account(std::size_t written) {
  one_by_one_ = false;
  pending_ -= written;
  written_ += written;
  while (count_ > 0) {
    const Piece& piece = pieces_[first_];
    if (written_ < piece.frame_bytes()) return;
    written_ -= piece.frame_bytes();
    if (piece.message != nullptr)
      piece.message->left.fetch_sub(piece.weight, std::memory_order_acq_rel);
    ++first_;
    --count_;
  }
}

}  // namespace hawser::tcp
