#include "channel/receive_pipeline.h"

#include <fmt/core.h>

#include <algorithm>

namespace hawser {
namespace {

Error wrong_size(const Chunk& chunk, std::size_t got) {
  return Error(Code::data, fmt::format("the chunk at offset {} has {} bytes, {} came", chunk.offset,
                                       chunk.bytes, got));
}

Reach reach_of(const MemoryRange& memory) {
  return memory.kind == MemoryKind::cuda ? Reach::gpu : Reach::pageable;
}

}  // namespace

void ReceivePipeline::begin(const TransferPlan& plan) {
  plan_ = plan;
  chunks_ = Chunks(plan.run, plan.chunk_bytes);
  // Two receives in flight never share a byte.
  most_in_flight_ = std::min(window_.capacity(), chunks_.disjoint());
  bytes_done_ = 0;
}

Result<bool> ReceivePipeline::progress() {
  HAWSER_ASSIGN(const bool posted, post());
  HAWSER_ASSIGN(const bool reaped, reap());
  HAWSER_ASSIGN(const bool landed, land());
  return posted || reaped || landed;
}

Result<bool> ReceivePipeline::post() {
  bool moved = false;
  while (!chunks_.empty() && window_.size() < most_in_flight_) {
    Chunks after = chunks_;
    Entry entry{after.next()};
    const std::size_t position = window_.end();
    HAWSER_ASSIGN(entry.request,
                  comm_.try_receive(target(position, entry), entry.chunk.bytes,
                                    static_cast<int>(position & 0x7fffffff), plan_.registration));
    if (entry.request == nullptr) break;
    chunks_ = after;
    window_.push() = entry;
    moved = true;
  }
  return moved;
}

Result<bool> ReceivePipeline::reap() {
  const std::size_t first = tested_;
  for (; tested_ < window_.end(); ++tested_) {
    Entry& entry = window_.at(tested_);
    HAWSER_ASSIGN(const TestResult test, test_whole(comm_, entry.request));
    if (!test.done) break;
    if (test.bytes && *test.bytes != entry.chunk.bytes) return wrong_size(entry.chunk, *test.bytes);
    HAWSER_TRY(begin_landing(tested_, entry));
  }
  HAWSER_TRY(unpacked_.submit());
  return tested_ > first;
}

Result<bool> ReceivePipeline::land() {
  bool moved = false;
  while (window_.begin() < tested_) {
    Entry& entry = window_.oldest();
    HAWSER_ASSIGN(const bool there, landed(entry));
    if (!there) break;
    bytes_done_ += entry.chunk.bytes;
    window_.pop();
    moved = true;
  }
  return moved;
}

Result<bool> ReceivePipeline::landed(const Entry& entry) {
  if (plan_.unpacker != nullptr) return unpacked_.take_oldest();
  return entry.copied == 0 ? Result<bool>(true) : plan_.copies->finished(entry.copied);
}

Status ReceivePipeline::begin_landing(std::size_t position, Entry& entry) {
  if (plan_.unpacker != nullptr) return unpack(entry);
  if (plan_.staging == nullptr) return {};
  HAWSER_TRY(plan_.copies->copy(plan_.memory.at(entry.chunk.offset), plan_.staging->slot(position),
                                entry.chunk.bytes));
  HAWSER_ASSIGN(entry.copied, plan_.copies->mark());
  return {};
}

Status ReceivePipeline::unpack(const Entry& entry) {
  const Unpacker::Place place{plan_.memory.at(entry.chunk.offset), entry.chunk.bytes,
                              reach_of(plan_.memory)};
  const auto added = unpacked_.add(entry.request, *plan_.unpacker, place);
  if (added.ok()) return {};
  return added.error().within(fmt::format("the chunk at offset {}", entry.chunk.offset));
}

std::byte* ReceivePipeline::target(std::size_t position, const Entry& entry) const {
  return plan_.staging ? plan_.staging->slot(position) : plan_.memory.at(entry.chunk.offset);
}

}  // namespace hawser
