#include "channel/send_pipeline.h"

namespace hawser {

void SendPipeline::begin(const TransferPlan& plan) {
  plan_ = plan;
  chunks_ = Chunks(plan.run, plan.chunk_bytes);
  bytes_done_ = 0;
}

Result<bool> SendPipeline::progress() {
  HAWSER_ASSIGN(const bool filled, fill());
  HAWSER_ASSIGN(const bool posted, post());
  HAWSER_ASSIGN(const bool reaped, reap());
  return filled || posted || reaped;
}

Result<bool> SendPipeline::fill() {
  bool moved = false;
  while (!chunks_.empty() && !window_.full()) {
    const std::size_t position = window_.end();
    Entry& entry = window_.push();
    entry = Entry{chunks_.next()};
    moved = true;
    if (plan_.staging == nullptr) continue;
    HAWSER_TRY(plan_.copies->copy(plan_.staging->slot(position),
                                  plan_.memory.at(entry.chunk.offset), entry.chunk.bytes));
    HAWSER_ASSIGN(entry.copied, plan_.copies->mark());
  }
  return moved;
}

Result<bool> SendPipeline::post() {
  bool moved = false;
  for (; posted_ < window_.end(); ++posted_) {
    Entry& entry = window_.at(posted_);
    HAWSER_ASSIGN(const bool can, ready(entry));
    if (!can) break;
    HAWSER_ASSIGN(entry.request,
                  comm_.try_send(source(posted_, entry), entry.chunk.bytes,
                                 static_cast<int>(posted_ & 0x7fffffff), plan_.registration));
    if (entry.request == nullptr) break;
    moved = true;
  }
  return moved;
}

Result<bool> SendPipeline::reap() {
  bool moved = false;
  while (window_.begin() < posted_) {
    Entry& entry = window_.oldest();
    HAWSER_ASSIGN(const TestResult test, comm_.test(entry.request));
    if (!test.done) break;
    bytes_done_ += entry.chunk.bytes;
    window_.pop();
    moved = true;
  }
  return moved;
}

Result<bool> SendPipeline::ready(const Entry& entry) {
  if (plan_.staging == nullptr) return true;
  return plan_.copies->finished(entry.copied);
}

const std::byte* SendPipeline::source(std::size_t position, const Entry& entry) const {
  return plan_.staging ? plan_.staging->slot(position) : plan_.memory.at(entry.chunk.offset);
}

}  // namespace hawser
