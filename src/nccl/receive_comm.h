// The receiving side of a connection.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "nccl/back_channel.h"
#include "nccl/comm.h"
#include "nccl/receive_group.h"
#include "nccl/slots.h"

namespace hawser::plugin {

// As long as every receive has one buffer of the stream's tag, receives are simply the Net's. The
// first other one opens the sender's gate: from then on it is told of each receive and sends only
// what the oldest waits for, each message behind a header. In between come messages that it had
// sent already: the overrun.
class PluginReceiveComm final : public PluginComm {
 public:
  // Kept of an overrun at most: what was under way when the gate opened.
  static constexpr std::size_t kMaxKeptBytes = std::size_t{256} << 20;

  // `net` is kept alive as long as the comm.
  PluginReceiveComm(NcclLog::Key log, std::shared_ptr<Net> net, int device,
                    std::unique_ptr<ReceiveComm> comm)
      : PluginComm(log), net_(std::move(net)), device_(device), comm_(std::move(comm)) {}

  ~PluginReceiveComm() override { own_.unregister(); }

  PluginReceiveComm* as_receiver() override { return this; }

  // nullptr: too early, or kMaxRequests are in flight; call again. 1 to kMaxReceives buffers.
  Result<PluginRequest*> receive(std::span<const ReceiveBuffer> buffers) {
    if (requests_.empty()) return nullptr;
    const bool plain = state_ == State::stream && unsettled_.empty() && of_the_stream(buffers);
    return plain ? receive_from_stream(buffers[0]) : receive_group(buffers);
  }
  Result<bool> test(PluginRequest* request, int* sizes) override;

 private:
  enum class State {
    unknown,  // the preamble has not come
    stream,
    overrun,  // the gate is open, and the marker has not come
    framed,
  };
  struct InFlight {  // a message on its way into a buffer
    Request* request = nullptr;
    SlotOfGroup to;
  };

  Comm& net_comm() override { return *comm_; }

  bool of_the_stream(std::span<const ReceiveBuffer> buffers) const {
    return buffers.size() == 1 && buffers[0].tag == preamble_.stream_tag;
  }
  Result<PluginRequest*> receive_from_stream(const ReceiveBuffer& buffer);
  Result<PluginRequest*> receive_group(std::span<const ReceiveBuffer> buffers);
  Result<bool> test_group(PluginRequest& request, int* sizes);

  Status progress();
  Status read_preamble();
  Status settle();
  Result<bool> settle_oldest();
  Result<bool> settle_in_stream(ReceiveGroup& group);
  Status open_gate();
  Status read_overrun();
  Status take_overrun(std::span<const std::byte> message);
  Status keep(std::span<const std::byte> message);
  Status use_kept();
  Status read_frames();
  Status finish_messages();
  Result<bool> read_header();
  Result<bool> post_message();
  Result<std::optional<std::span<const std::byte>>> read_own(std::size_t bytes);
  bool room() const;

  const std::shared_ptr<Net> net_;
  const int device_;
  RegisteredBlock own_;  // what is not NCCL's is received here
  const std::unique_ptr<ReceiveComm> comm_;
  Slots<PluginRequest, kMaxRequests> requests_;
  State state_ = State::unknown;
  Preamble preamble_;
  std::uint64_t stream_receives_ = 0;
  std::size_t in_stream_ = 0;      // of them, those in flight
  std::size_t largest_bytes_ = 0;  // of any buffer so far

  std::unique_ptr<Slots<ReceiveGroup, kMaxRequests>> groups_;  // once one is needed
  Ring<ReceiveGroup*, kMaxRequests> unsettled_;  // not yet known whether they are the stream's
  OpenGroups open_;
  std::unique_ptr<BackChannel> back_;
  Marker marker_{};
  std::deque<std::vector<std::byte>> kept_;
  std::size_t kept_bytes_ = 0;

  Request* reading_own_ = nullptr;
  std::optional<FrameHeader> header_;  // its message is not posted yet
  SlotOfGroup matched_;                // and goes here, once that is known
  Ring<InFlight, kMaxRequests> messages_;
};

}  // namespace hawser::plugin
