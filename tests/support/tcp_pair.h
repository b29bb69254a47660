// The built-in transport over loopback: Nets, pairs of comms with buffers, and their sockets.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "net/tcp/tcp_net.h"
#include "support/guarded_buffer.h"

namespace hawser::test {

inline constexpr std::size_t kMiB = 1024 * 1024;

// A Net on 127.0.0.1 whose connections have up to so many sockets.
std::unique_ptr<Net> loopback_net(int sockets, int io_threads);

// Both ends of one connection, driven by this thread, and a buffer on either side. What is in
// flight when an end goes is not logged.
class TcpPair {
 public:
  TcpPair(int sockets, int io_threads, std::size_t buffer_bytes);
  ~TcpPair();

  Net& net() { return *net_; }
  SendComm& sender() { return *sender_; }
  ReceiveComm& receiver() { return *receiver_; }
  GuardedBuffer& from() { return from_; }
  GuardedBuffer& to() { return to_; }

  // Posts; nullptr, and a test failure, where it is not taken.
  Request* send(std::size_t offset, std::size_t bytes);
  Request* receive(std::size_t offset, std::size_t bytes);
  // Until each is done; false: not within the time, or an error, which is a test failure.
  bool finish(std::vector<Request*> sends, std::vector<Request*> receives);
  // One message of `bytes`, whole.
  bool move(std::size_t bytes);
  // Ends one side, as a process that dies does.
  void end_sender();
  void end_receiver();

 private:
  std::unique_ptr<Net> net_;
  GuardedBuffer from_, to_;
  std::unique_ptr<SendComm> sender_;
  std::unique_ptr<ReceiveComm> receiver_;
  Registration* source_ = nullptr;
  Registration* sink_ = nullptr;
};

// The connected TCP sockets of this process: what each has had acknowledged, and read.
struct SocketTraffic {
  int fd = -1;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
};
std::vector<SocketTraffic> connected_sockets();

// Tests a request until it fails, 20 s at most; the error, or one that says that it did not.
template <class AnyComm>
Error error_of(AnyComm& comm, Request* request) {
  const Deadline deadline = Deadline::after(Milliseconds(20000));
  for (Backoff backoff; !deadline.expired(); backoff.idle()) {
    const auto result = comm.test(request);
    if (!result.ok()) return result.error();
    if (result->done) return Error(Code::internal, "it was done");
  }
  return Error(Code::timeout, "it did not fail");
}

}  // namespace hawser::test
