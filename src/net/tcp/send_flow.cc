#include "net/tcp/send_flow.h"

#include <fmt/core.h>

#include <algorithm>
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
constexpr std::array<std::byte, kFrameUnit> kTrailer{};

// The parts of one write: header, data and trailer of each frame.
class PartList {
 public:
  // Of a first frame, `skip` bytes are written already.
  explicit PartList(std::size_t skip) : skip_(skip) {}

  void add(const std::byte* data, std::size_t bytes) {
    const std::size_t skipped = std::min(skip_, bytes);
    skip_ -= skipped;
    if (bytes > skipped)
      parts_[count_++] = {const_cast<std::byte*>(data + skipped), bytes - skipped};
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
  if (count_ == 1 && written_ == 0 && only.bytes <= kSmallBytes) return write_small(only);
  PartList parts(written_);
  for (const Piece& piece : std::span(pieces_).subspan(first_, count_)) {
    parts.add(piece.header.data(), kHeaderBytes);
    parts.add(piece.data, piece.bytes);
    parts.add(kTrailer.data(), trailer_bytes(piece.bytes));
  }
  return sockets::send_some(connection_.fd.get(), parts.span());
}

sockets::Transfer SendFlow::write_small(const Piece& piece) {
  std::array<std::byte, frame_bytes(kSmallBytes)> together;
  std::byte* const data = std::copy(piece.header.begin(), piece.header.end(), together.begin());
  if (piece.bytes > 0) std::memcpy(data, piece.data, piece.bytes);
  std::memset(data + piece.bytes, 0, trailer_bytes(piece.bytes));
  return sockets::send_some(connection_.fd.get(), std::span(together).first(piece.frame_bytes()));
}

void SendFlow::account(std::size_t written) {
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
