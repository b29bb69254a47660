// The sending end of a data connection.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "net/net.h"
#include "net/tcp/connection.h"
#include "net/tcp/extra_send_flow.h"
#include "net/tcp/handle.h"
#include "net/tcp/peer_watch.h"
#include "net/tcp/send_flow.h"
#include "net/tcp/send_queue.h"

namespace hawser::tcp {

// Its first flow is driven in the caller's thread, in try_send() and test(): a small message costs
// no other thread's help. The first large message opens the further flows, which I/O threads drive.
// Not thread-safe.
class TcpSendComm final : public SendComm {
 public:
  // `listener` is where further flows go, up to `flows` in all.
  TcpSendComm(Connection first, const ListenerName& listener, unsigned flows);
  ~TcpSendComm() override;

  Result<Registration*> register_memory(const MemoryRange& range) override;
  Status deregister(Registration* registration) override;
  // A lone message leaves at once. One that follows others, not yet tested to their end, may wait
  // for the next call that tests a request that is not done, to leave together with more.
  Result<Request*> try_send(const void* data, std::size_t bytes, int tag,
                            Registration* registration) override;
  // Done means that the kernel has the bytes, and the buffer may be used again.
  Result<TestResult> test(Request* request) override;
  // Only over one flow: what others do, their threads see.
  int wait_fd() const override { return flows_ == 1 ? first_.connection().fd.get() : -1; }

 private:
  // Messages are held back until so many are together, or bytes: over one flow, four of 64 KiB in
  // one write are half as fast again as one by one, and more gain nothing (docs/performance.md).
  static constexpr std::uint64_t kHoldMessages = 4;
  static constexpr std::uint64_t kLeastHoldBytes = 64 * 1024;

  bool holds_back(std::size_t bytes);
  bool alone();
  void send_large();
  void open_flows();
  bool call_flows();
  void progress();
  void look_for_silence(int fd);
  void let_go();
  void fail(const Error& why);
  Error failure_of(const SendMessage& message) const;

  Device& device_;
  const ListenerName listener_;
  const unsigned flows_;  // at most
  SendQueue queue_;
  Failure first_failure_;  // of any flow
  SendFlow first_;
  std::vector<std::unique_ptr<ExtraSendFlow>> extra_;
  bool opened_ = false;
  bool alone_ = false;  // the first flow takes all, at the moment
  SenderCount::Period sent_large_ = 0;
  PeerWatch watch_;
  std::optional<Error> failure_;  // set once, in the caller's thread; the comm is of no use then
};

}  // namespace hawser::tcp
