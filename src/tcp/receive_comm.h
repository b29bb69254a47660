// The receiving end of a data connection.
#pragma once

#include <optional>

#include "net/net.h"
#include "tcp/connection.h"
#include "tcp/frame.h"
#include "tcp/message_window.h"
#include "tcp/receive_stage.h"
#include "tcp/send_comm.h"
#include "tcp/socket.h"

namespace hawser::tcp {

// Reads messages into the posted buffers, in order; reads nothing while none is posted. Progress
// is made in test(), in the caller's thread. Not thread-safe.
class TcpReceiveComm final : public ReceiveComm {
 public:
  explicit TcpReceiveComm(Connection connection);
  ~TcpReceiveComm() override;

  Result<Registration*> register_memory(const MemoryRange& range) override;
  Status deregister(Registration* registration) override;
  Result<Request*> try_receive(void* data, std::size_t bytes, int tag,
                               Registration* registration) override;
  Result<TestResult> test(Request* request) override;

 private:
  struct Message : Request {
    std::byte* data = nullptr;
    std::size_t capacity = 0;
    std::size_t bytes = 0;     // what the sender announced, once the header is there
    std::size_t received = 0;  // of them
    bool announced = false;

    std::size_t left() const { return bytes - received; }
  };

  void progress();
  void consume_stage();
  Status parse_stage();
  Status read_header(Message& message);
  IoResult read_round();
  void account(std::size_t got);
  void stop(const IoResult& result);
  void give_up(const Error& why);
  Error failure_of(const Message& message) const;

  Connection connection_;
  MessageWindow<Message, kMaxRequests> window_;
  ReceiveStage stage_;
  std::optional<Error> failure_;  // set once; the comm is of no use after it
};

}  // namespace hawser::tcp
