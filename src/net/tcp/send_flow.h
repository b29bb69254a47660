// One socket of a sending comm.
#pragma once

#include <array>
#include <cstddef>

#include "base/socket.h"
#include "net/tcp/connection.h"
#include "net/tcp/failure.h"
#include "net/tcp/io_task.h"
#include "net/tcp/send_queue.h"

namespace hawser::tcp {

// Takes pieces from the queue and writes as many of them per system call as fit. One thread at a
// time drives it. The queue and the failure belong to the comm.
class SendFlow {
 public:
  // `driven` is who the queue calls when there is work again; null: somebody polls.
  SendFlow(Connection connection, SendQueue& queue, Failure& failure, IoTask* driven)
      : connection_(std::move(connection)), queue_(queue), failure_(failure), taker_{driven} {}

  IoTask::Wait drive();
  // Whether large messages are for this one, too; at first they are.
  void take_large(bool large) { taker_.large = large; }
  // A frame of the transport's own, behind what is being written; false: no room now.
  bool push(const FrameHeader& frame);

  const Connection& connection() const { return connection_; }

 private:
  static constexpr std::size_t kMaxPieces = 32;

  bool refill();
  sockets::Transfer write_round();
  sockets::Transfer write_small(const Piece& piece);
  bool bear_fault();
  void account(std::size_t written);

  Connection connection_;
  SendQueue& queue_;
  Failure& failure_;
  SendQueue::Taker taker_;
  std::array<Piece, kMaxPieces> pieces_;  // from first_, count_ of them
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::size_t written_ = 0;  // of the first one's frame
  std::size_t pending_ = 0;  // bytes that are not written
  bool one_by_one_ = false;  // to find out whose memory cannot be read
};

}  // namespace hawser::tcp
