// The sending side of a connection.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "nccl/comm.h"
#include "nccl/registered_block.h"
#include "nccl/send_gate.h"
#include "nccl/slots.h"

namespace hawser::plugin {

class PluginSendComm final : public PluginComm {
 public:
  // `net` is kept alive as long as the comm.
  PluginSendComm(NcclLog::Key log, std::shared_ptr<Net> net, int device,
                 std::unique_ptr<SendComm> comm)
      : PluginComm(log), net_(std::move(net)), device_(device), comm_(std::move(comm)) {}

  ~PluginSendComm() override { own_memory_.unregister(); }

  PluginSendComm* as_sender() override { return this; }

  // nullptr: too early, or kMaxRequests are in flight; call again.
  Result<PluginRequest*> send(const void* data, std::size_t bytes, int tag,
                              Registration* registration) {
    if (!own_.empty() || gate_ == nullptr || !gate_->streams(tag))
      return send_slowly(data, bytes, tag, registration);
    if (requests_.empty()) return nullptr;
    return post_to_stream(data, bytes, tag, registration);
  }
  Result<bool> test(PluginRequest* request, int* sizes) override;

 private:
  // Messages of our own in flight: a preamble, a marker, headers.
  static constexpr std::size_t kMaxOwn = 16;
  static constexpr std::size_t kOwnBytes = kPreambleBytes;  // the largest of them

  Comm& net_comm() override { return *comm_; }

  Result<PluginRequest*> send_slowly(const void* data, std::size_t bytes, int tag,
                                     Registration* registration);
  Result<PluginRequest*> post_to_stream(const void* data, std::size_t bytes, int tag,
                                        Registration* registration);
  Result<PluginRequest*> post_framed(const void* data, std::size_t bytes, int tag,
                                     Registration* registration);
  Result<PluginRequest*> post(const void* data, std::size_t bytes, int tag,
                              Registration* registration);
  bool room_for(std::size_t requests) const;
  Status start(int stream_tag);
  Result<bool> send_own(std::span<const std::byte> message);
  Result<bool> send_marker();
  Result<bool> send_header(const FrameHeader& header);
  Status finish_own();

  const std::shared_ptr<Net> net_;
  const int device_;
  RegisteredBlock own_memory_;
  const std::unique_ptr<SendComm> comm_;
  Slots<PluginRequest, kMaxRequests> requests_;
  std::unique_ptr<SendGate> gate_;  // from the first send on

  Ring<Request*, kMaxOwn> own_;
  std::size_t next_own_ = 0;
  bool begun_ = false;                 // the preamble is out
  bool marked_ = false;                // and so is the marker: the stream has ended
  std::optional<FrameHeader> header_;  // out, and the message behind it is not
};

}  // namespace hawser::plugin
