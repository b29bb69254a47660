// The sending side of a connection.
#pragma once

#include <memory>
#include <utility>

#include "plugin/comm.h"
#include "plugin/slots.h"

namespace hawser::plugin {

class PluginSendComm final : public PluginComm {
 public:
  // `net` is kept alive as long as the comm.
  PluginSendComm(NcclLog::Key log, std::shared_ptr<Net> net, std::unique_ptr<SendComm> comm)
      : PluginComm(log), net_(std::move(net)), comm_(std::move(comm)) {}

  PluginSendComm* as_sender() override { return this; }

  // nullptr: too early, or kMaxRequests are in flight; call again.
  Result<PluginRequest*> send(const void* data, std::size_t bytes, int tag,
                              Registration* registration);
  Result<bool> test(PluginRequest* request, int* sizes) override;

 private:
  Comm& net_comm() override { return *comm_; }

  const std::shared_ptr<Net> net_;
  const std::unique_ptr<SendComm> comm_;
  Slots<PluginRequest, kMaxRequests> requests_;
};

}  // namespace hawser::plugin
