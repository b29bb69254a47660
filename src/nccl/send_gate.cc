#include "nccl/send_gate.h"

#include "base/log.h"

namespace hawser::plugin {

Result<std::unique_ptr<SendGate>> SendGate::open(Net& net, int device, int stream_tag) {
  HAWSER_ASSIGN(auto listener, net.listen(device));
  return std::unique_ptr<SendGate>(new SendGate(std::move(listener), stream_tag));
}

Result<SendGate::Verdict> SendGate::verdict(int tag) {
  since_look_ = 0;
  if (back_ == nullptr) HAWSER_TRY(accept());
  // One record at a time and only on demand: at the end none is waited for in vain.
  while (back_ != nullptr && (!ledger_ || known_verdict(tag) == Verdict::later)) {
    HAWSER_ASSIGN(const bool came, take_record());
    if (!came) break;
  }
  return known_verdict(tag);
}

Status SendGate::accept() {
  HAWSER_ASSIGN(back_, listener_->try_accept());
  if (back_ == nullptr) return {};
  listener_.reset();
  return record_.allocate(*back_, kRecordBytes);
}

Result<bool> SendGate::take_record() {
  if (ledger_ && ledger_->full()) return false;
  if (receiving_ == nullptr) {
    HAWSER_ASSIGN(receiving_,
                  back_->try_receive(record_.at(0), kRecordBytes, 0, record_.registration()));
    if (receiving_ == nullptr) return false;
  }
  HAWSER_ASSIGN(const TestResult result, test_whole(*back_, receiving_));
  if (!result.done) return false;
  receiving_ = nullptr;
  HAWSER_TRY(take(record_.first(result.bytes.value_or(kRecordBytes))));
  return true;
}

Status SendGate::take(std::span<const std::byte> record) {
  if (ledger_) {
    HAWSER_ASSIGN(const Announcement announced, decode_announcement(record));
    ledger_->add(announced);
    return {};
  }
  HAWSER_ASSIGN(const GateOpening opening, decode_gate_opening(record));
  marker_ = opening.marker;
  stream_receives_ = opening.stream_receives;
  const std::uint64_t overrun =
      stream_sent_ > stream_receives_ ? stream_sent_ - stream_receives_ : 0;
  log_debug("receives of several buffers begin after {} messages, {} were sent", stream_receives_,
            stream_sent_);
  ledger_.emplace(stream_tag_, overrun);
  return {};
}

SendGate::Verdict SendGate::known_verdict(int tag) {
  const bool of_the_stream = tag == stream_tag_;
  if (!ledger_) return of_the_stream ? Verdict::stream : Verdict::later;
  // Receives of their own still wait for messages of the stream: those come first.
  if (stream_sent_ < stream_receives_) return of_the_stream ? Verdict::stream : Verdict::later;
  return ledger_->wants(tag) ? Verdict::framed : Verdict::later;
}

}  // namespace hawser::plugin
