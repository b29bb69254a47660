#include "engine/operations/in_order.h"

#include <fmt/core.h>

#include <optional>
#include <variant>

namespace hawser::engine {
namespace {

constexpr std::uint64_t kOverheadBytes = 128;  // of what is held back, beside its frame

}  // namespace

Status InOrder::take(std::uint64_t order, const wire::Record& record, const Deliver& deliver) {
  if (order < next_)
    return Error(Code::protocol, fmt::format("message {} came twice, or has no number", order));
  if (order > next_) return hold_back(order, record);
  Status taken = deliver(record);
  ++next_;
  while (taken.ok() && !held_back_.empty() && held_back_.begin()->first == next_) {
    taken = deliver_held_back(held_back_.begin()->second.frame, deliver);
    held_back_.erase(held_back_.begin());
    ++next_;
  }
  return taken;
}

// As a frame of its own: what its views look at does not stay.
Status InOrder::hold_back(std::uint64_t order, const wire::Record& record) {
  if (held_back_.size() >= kMaxHeldBack || held_back_.contains(order))
    return Error(Code::protocol,
                 fmt::format("message {} is too far ahead of {}, or came twice", order, next_));
  std::vector<std::byte> frame(wire::kFrameBytes);
  wire::FrameBuilder builder(frame);
  if (const auto* const read = std::get_if<wire::ReadRequest>(&record)) {
    std::vector<wire::Piece> pieces;
    for (std::size_t i = 0; i < read->decoded.size(); ++i) pieces.push_back(read->decoded[i]);
    wire::ReadRequest again = *read;
    again.pieces = pieces;
    builder.add(again);
  } else {
    builder.add(record);
  }
  frame.resize(builder.finish().size());
  frame.shrink_to_fit();
  HAWSER_ASSIGN(Budget::Share share, budget_->take(kOverheadBytes + frame.size()));
  held_back_.emplace(order, HeldBack{std::move(frame), std::move(share)});
  return {};
}

Status InOrder::deliver_held_back(std::span<const std::byte> frame, const Deliver& deliver) {
  HAWSER_ASSIGN(wire::FrameReader reader, wire::FrameReader::open(frame));
  HAWSER_ASSIGN(const std::optional<wire::Record> record, reader.next());
  return record ? deliver(*record) : Status();
}

}  // namespace hawser::engine
