// The receiving side of a connection.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include "plugin/comm.h"
#include "plugin/slots.h"

namespace hawser::plugin {

// One buffer of a receive.
struct ReceiveBuffer {
  void* data = nullptr;
  std::size_t bytes = 0;
  int tag = 0;
  Registration* registration = nullptr;
};

class PluginReceiveComm final : public PluginComm {
 public:
  // `net` is kept alive as long as the comm.
  PluginReceiveComm(NcclLog::Key log, std::shared_ptr<Net> net, std::unique_ptr<ReceiveComm> comm)
      : PluginComm(log), net_(std::move(net)), comm_(std::move(comm)) {}

  PluginReceiveComm* as_receiver() override { return this; }

  // nullptr: too early, or kMaxRequests are in flight; call again.
  Result<PluginRequest*> receive(const ReceiveBuffer& buffer);
  Result<bool> test(PluginRequest* request, int* sizes) override;

 private:
  Comm& net_comm() override { return *comm_; }

  const std::shared_ptr<Net> net_;
  const std::unique_ptr<ReceiveComm> comm_;
  Slots<PluginRequest, kMaxRequests> requests_;
};

}  // namespace hawser::plugin
