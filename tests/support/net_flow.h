// One direction of a connection, driven by the rules of its Net: the window, the oldest first,
// unpack and consume.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "gpu/gpu.h"
#include "net/net.h"
#include "net/unpack/unpacker.h"

namespace hawser::test {

// Posts and polls sends. Not thread-safe; borrows the comm.
class SendFlow {
 public:
  SendFlow(SendComm& comm, const NetCapabilities& capabilities)
      : comm_(comm), capabilities_(capabilities) {}

  bool full() const;
  std::size_t in_flight() const { return requests_.size(); }
  // False: too early, poll and try again.
  Result<bool> post(const void* data, std::size_t bytes, int tag, Registration* registration);
  // Tests the oldest; true: it is done.
  Result<bool> poll();

 private:
  SendComm& comm_;
  const NetCapabilities capabilities_;
  std::deque<Request*> requests_;
};

// Posts and polls receives; copies what needs unpacking to its place, in host memory, by `gpu`
// where the comm is one's, and consumes. Not thread-safe; borrows the comm.
class ReceiveFlow {
 public:
  ReceiveFlow(ReceiveComm& comm, const NetCapabilities& capabilities,
              std::shared_ptr<Gpu> gpu = nullptr)
      : comm_(comm), capabilities_(capabilities), gpu_(std::move(gpu)) {}

  bool full() const;
  std::size_t in_flight() const { return receives_.size(); }
  Result<bool> post(void* data, std::size_t bytes, int tag, Registration* registration);
  Result<bool> poll();
  // Of each receive that is done, in order: how many bytes came, as far as the Net tells;
  // otherwise kUnknownBytes.
  static constexpr std::size_t kUnknownBytes = static_cast<std::size_t>(-1);
  const std::vector<std::size_t>& received() const { return received_; }

 private:
  struct Receive {
    Request* request;
    std::byte* data;
    std::size_t capacity;
  };
  Result<std::size_t> unpack(const Receive& receive);

  ReceiveComm& comm_;
  const NetCapabilities capabilities_;
  const std::shared_ptr<Gpu> gpu_;
  std::unique_ptr<Unpacker> unpacker_;
  std::deque<Receive> receives_;
  std::vector<std::size_t> received_;
};

// Polls both until nothing is in flight; Code::timeout at the deadline.
Status drain(SendFlow& send, ReceiveFlow& receive, Deadline deadline);
// Polls one of them likewise.
Status drain(SendFlow& send, Deadline deadline);
Status drain(ReceiveFlow& receive, Deadline deadline);

}  // namespace hawser::test
