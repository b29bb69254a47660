// One socket of a receiving comm.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/socket.h"
#include "memory/careful_copies.h"
#include "net/tcp/connection.h"
#include "net/tcp/failure.h"
#include "net/tcp/frame.h"
#include "net/tcp/io_task.h"
#include "net/tcp/receive_board.h"
#include "net/tcp/receive_stage.h"

namespace hawser::tcp {

// Reads pieces into the receives they belong to; where the next one's receive is not posted, it
// reads no further. One thread at a time drives it. The board and the failure belong to the comm.
class ReceiveFlow final : public IoTask {
 public:
  enum class Role {
    first,     // of its connection; driven by whoever posts receives
    polled,    // a further one, likewise
    threaded,  // driven by an I/O thread, which is told when there is a receive
  };
  ReceiveFlow(Connection connection, ReceiveBoard& board, Failure& failure, Role role);

  Wait drive() override;
  void ran_out_of_memory() noexcept override { failure_.set_out_of_memory(); }
  // The sender has closed this one, between two pieces, or reset it before it carried any. Others
  // may still have something.
  bool ended() const { return ended_.load(std::memory_order_acquire); }
  // The next piece on it belongs to a receive that is not posted.
  bool parked() const { return parked_.load(std::memory_order_acquire); }
  // Further flows that the sender said will come, once; 0: it has not (again).
  unsigned take_announced_flows() { return std::exchange(announced_flows_, 0u); }

  const Connection& connection() const { return connection_; }
  int fd() const { return connection_.fd.get(); }

  // Who drives it; nullptr: the caller. Set before it is attached.
  IoThread* thread = nullptr;

 private:
  enum class Parsed { needs_bytes, needs_receive, failed };

  Parsed parse();
  Result<bool> begin_frame(const FrameHeader& header);
  Result<bool> take_payload();
  void take_staged();
  std::size_t ahead() const;
  sockets::Transfer read_round();
  void account(std::size_t got);
  bool bear_fault(const sockets::Transfer& result);
  Wait stop(const sockets::Transfer& result);
  void fail(Error why);

  Connection connection_;
  ReceiveBoard& board_;
  Failure& failure_;
  const Role role_;
  CarefulCopies copies_;  // the stage is its own
  ReceiveStage stage_;
  ReceiveMessage* message_ = nullptr;  // of the piece that is being read
  std::byte* to_ = nullptr;            // where its next byte goes
  std::uint64_t left_ = 0;             // of it
  Lost lost_ = Lost::nothing;          // of it: own, what is left goes nowhere
  FrameHeader piece_;
  std::size_t skip_ = 0;  // bytes of the last frame's trailer that have not been taken
  bool large_ = false;    // the last piece was
  bool used_ = false;     // something has come over it
  bool listed_ = false;   // the board knows that it waits
  unsigned announced_flows_ = 0;
  std::atomic<bool> ended_{false};   // published to the comm's caller, as is
  std::atomic<bool> parked_{false};  // this
};

}  // namespace hawser::tcp
