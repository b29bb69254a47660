// The sending end of a data connection.
#pragma once

#include <optional>

#include "net/net.h"
#include "tcp/connection.h"
#include "tcp/frame.h"
#include "tcp/message_window.h"
#include "tcp/socket.h"

namespace hawser::tcp {

inline constexpr std::size_t kMaxRequests = 32;

// Queues messages and writes as many of them per system call as fit. Progress is made in
// try_send() and test(), in the caller's thread. Not thread-safe.
class TcpSendComm final : public SendComm {
 public:
  explicit TcpSendComm(Connection connection);
  ~TcpSendComm() override;

  Result<Registration*> register_memory(const MemoryRange& range) override;
  Status deregister(Registration* registration) override;
  Result<Request*> try_send(const void* data, std::size_t bytes, int tag,
                            Registration* registration) override;
  // Done means that the kernel has the bytes, and the buffer may be used again.
  Result<TestResult> test(Request* request) override;

 private:
  struct Message : Request {
    FrameBytes header{};
    const std::byte* data = nullptr;
    std::size_t bytes = 0;
    std::size_t written = 0;  // of header and data together

    std::size_t left() const { return kFrameBytes + bytes - written; }
  };

  void progress();
  IoResult write_round();
  void account(std::size_t written);
  void fail(const IoResult& result);
  Error failure_of(const Message& message) const;

  Connection connection_;
  MessageWindow<Message, kMaxRequests> window_;
  std::optional<Error> failure_;  // set once; the comm is of no use after it
};

}  // namespace hawser::tcp
