// Decides which sends may go out now, by what the receiver says on the back channel.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "nccl/framing.h"
#include "nccl/group_ledger.h"
#include "nccl/registered_block.h"
#include "net/net.h"

namespace hawser::plugin {

// Until the receiver connects back, messages of the first tag go out as a stream, and any other
// tag waits. From then on each message waits for a receive that wants it. Not thread-safe.
class SendGate {
 public:
  enum class Verdict { later, stream, framed };

  // Listens for the back channel.
  static Result<std::unique_ptr<SendGate>> open(Net& net, int device, int stream_tag);

  ~SendGate() { record_.unregister(); }

  int stream_tag() const { return stream_tag_; }
  const Handle& back_handle() const { return handle_; }
  const std::optional<Marker>& marker() const { return marker_; }  // once the gate is in use

  // The fast path: whether this one is of the stream. Now and then it says no, so that the
  // back channel is looked at.
  bool streams(int tag) {
    return !ledger_ && tag == stream_tag_ && ++since_look_ < kSendsBetweenLooks;
  }
  void streamed() { ++stream_sent_; }

  // Whether it may go out now; asks the back channel where the answer is not known.
  Result<Verdict> verdict(int tag);
  void framed(int tag) { ledger_->take(tag); }

 private:
  static constexpr unsigned kSendsBetweenLooks = 16;

  SendGate(std::unique_ptr<Listener> listener, int stream_tag)
      : listener_(std::move(listener)), handle_(listener_->handle()), stream_tag_(stream_tag) {}

  Verdict known_verdict(int tag);
  Status accept();
  Result<bool> take_record();
  Status take(std::span<const std::byte> record);

  std::unique_ptr<Listener> listener_;  // until the back channel is there
  const Handle handle_;
  const int stream_tag_;
  unsigned since_look_ = 0;
  std::uint64_t stream_sent_ = 0;
  std::uint64_t stream_receives_ = 0;
  std::optional<Marker> marker_;
  std::optional<GroupLedger> ledger_;  // once the receiver has opened the gate

  RegisteredBlock record_;
  std::unique_ptr<ReceiveComm> back_;
  Request* receiving_ = nullptr;  // into record_
};

}  // namespace hawser::plugin
