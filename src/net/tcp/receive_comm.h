// The receiving end of a data connection.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/net.h"
#include "net/tcp/connection.h"
#include "net/tcp/failure.h"
#include "net/tcp/flow_listener.h"
#include "net/tcp/peer_watch.h"
#include "net/tcp/receive_board.h"
#include "net/tcp/receive_flow.h"

namespace hawser::tcp {

// Its first flow is driven in the caller's thread, in test(), and read only while a receive is
// posted. Further flows, once the sender has made them, are driven by I/O threads. Not thread-safe.
class TcpReceiveComm final : public ReceiveComm {
 public:
  // `flow_listener` is where further flows come in, as many as were granted; null where there are
  // to be none.
  TcpReceiveComm(Connection first, std::unique_ptr<FlowListener> flow_listener,
                 FurtherSockets::Grant grant);
  ~TcpReceiveComm() override;

  Result<Registration*> register_memory(const MemoryRange& range) override;
  Status deregister(Registration* registration) override;
  Result<Request*> try_receive(void* data, std::size_t bytes, int tag,
                               Registration* registration) override;
  Result<TestResult> test(Request* request) override;
  // Only over one flow: what others do, their threads see.
  int wait_fd() const override { return grant_.flows == 1 ? first_.connection().fd.get() : -1; }

 private:
  // Once one flow has ended, for so long the others may have something left.
  static constexpr Milliseconds kStragglers{10000};
  static constexpr int kLooksAtGap = 3;

  void progress();
  Status admit_flows();
  void admit(Connection connection);
  void notice_ends();
  void notice_gaps();
  void let_go();
  void fail(const Error& why);

  Device& device_;
  const FurtherSockets::Grant grant_;
  ReceiveBoard board_;
  Failure first_failure_;  // of any flow
  ReceiveFlow first_;
  std::vector<std::unique_ptr<ReceiveFlow>> extra_;
  std::unique_ptr<FlowListener> flow_listener_;  // until all have come
  std::optional<Deadline> admitting_until_;      // once the sender has said that they will
  std::optional<Deadline> stragglers_until_;
  PeerWatch watch_;
  int looks_at_gap_ = 0;
  std::optional<Error> failure_;  // set once, in the caller's thread; the comm is of no use then
};

}  // namespace hawser::tcp
