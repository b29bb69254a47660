// A further flow of a sending comm, from the first step of its connection on.
#pragma once

#include <optional>

#include "net/tcp/flow_connector.h"
#include "net/tcp/send_flow.h"

namespace hawser::tcp {

// IoTask by an I/O thread, or where there is none by the comm's caller. One that cannot be made is
// no failure: the others do its share.
class ExtraSendFlow final : public IoTask {
 public:
  ExtraSendFlow(FlowConnector connector, SendQueue& queue, Failure& failure)
      : fd_(connector.fd()), connector_(std::move(connector)), queue_(queue), failure_(failure) {}

  Wait drive() override;
  void ran_out_of_memory() noexcept override { failure_.set_out_of_memory(); }
  int fd() const { return fd_; }

  // Who drives it; nullptr: the caller. Set before it is attached.
  IoThread* thread = nullptr;

 private:
  Wait join();

  const int fd_;
  std::optional<FlowConnector> connector_;  // until it is connected
  SendQueue& queue_;
  Failure& failure_;
  std::optional<SendFlow> flow_;
  bool given_up_ = false;
};

}  // namespace hawser::tcp
