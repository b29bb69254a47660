#include "channel/receive_pipeline.h"

#include <fmt/core.h>

#include <algorithm>

namespace hawser {
namespace {

Error wrong_size(const Chunk& chunk, std::size_t got) {
  return Error(Code::data, fmt::format("the chunk at offset {} has {} bytes, {} came", chunk.offset,
                                       chunk.bytes, got));
}

// A fragment comes from the plugin: it must stay inside the receive it claims to belong to.
Status check_fragment(const Fragment& fragment, const Chunk& chunk) {
  if (fragment.destination_offset <= chunk.bytes &&
      fragment.bytes <= chunk.bytes - fragment.destination_offset)
    return {};
  return Error(
      Code::plugin,
      fmt::format("a fragment of {} bytes for offset {} does not fit a receive of {} bytes",
                  fragment.bytes, fragment.destination_offset, chunk.bytes));
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
  bool moved = false;
  for (; tested_ < window_.end(); ++tested_) {
    Entry& entry = window_.at(tested_);
    HAWSER_ASSIGN(const TestResult test, comm_.test(entry.request));
    if (!test.done) break;
    if (test.bytes && *test.bytes != entry.chunk.bytes) return wrong_size(entry.chunk, *test.bytes);
    HAWSER_TRY(begin_landing(tested_, entry));
    moved = true;
  }
  return moved;
}

Result<bool> ReceivePipeline::land() {
  bool moved = false;
  while (window_.begin() < tested_) {
    Entry& entry = window_.oldest();
    if (entry.copied != 0) {
      HAWSER_ASSIGN(const bool finished, plan_.copies->finished(entry.copied));
      if (!finished) break;
    }
    if (needs_unpack_) HAWSER_TRY(comm_.consume(entry.request));
    bytes_done_ += entry.chunk.bytes;
    window_.pop();
    moved = true;
  }
  return moved;
}

Status ReceivePipeline::begin_landing(std::size_t position, Entry& entry) {
  if (needs_unpack_) {
    HAWSER_TRY(unpack(entry));
  } else if (plan_.staging != nullptr) {
    HAWSER_TRY(plan_.copies->copy(plan_.memory.at(entry.chunk.offset),
                                  plan_.staging->slot(position), entry.chunk.bytes));
  } else {
    return {};
  }
  HAWSER_ASSIGN(entry.copied, plan_.copies->mark());
  return {};
}

Status ReceivePipeline::unpack(const Entry& entry) {
  HAWSER_ASSIGN(const Fragments fragments, comm_.fragments(entry.request));
  std::byte* const base = plan_.memory.at(entry.chunk.offset);
  std::size_t landed = 0;
  for (const Fragment& fragment : fragments.list) {
    HAWSER_TRY(check_fragment(fragment, entry.chunk));
    HAWSER_TRY(plan_.copies->copy(base + fragment.destination_offset,
                                  fragments.bounce + fragment.source_offset, fragment.bytes));
    landed += fragment.bytes;
  }
  // No fragments at all: the plugin placed the bytes itself, as TCPX does with host pointers.
  if (landed != 0 && landed != entry.chunk.bytes) return wrong_size(entry.chunk, landed);
  return {};
}

std::byte* ReceivePipeline::target(std::size_t position, const Entry& entry) const {
  return plan_.staging ? plan_.staging->slot(position) : plan_.memory.at(entry.chunk.offset);
}

}  // namespace hawser
