#include "node/lane.h"

#include <fmt/core.h>

namespace hawser::node {
namespace {

LinkMemory& slot_of(SlotMemory& slots, std::uint64_t iteration) {
  return slots[iteration % kSlots];
}

// Steps of either kind share a tag, so whoever hears one looks what it is.
constexpr const char* kStepText = "the next iteration";

}  // namespace

Status fill_slots(const LaneWork& work, SlotMemory& slots) {
  for (std::size_t i = 0; i < slots.size(); ++i)
    HAWSER_TRY(write_pattern(work.key(i), slots[i].buffer(), work.bytes));
  return {};
}

Status spoil_slots(const LaneWork& work, SlotMemory& slots) {
  for (std::size_t i = 0; i < slots.size(); ++i)
    HAWSER_TRY(write_spoiled(work.key(i), slots[i].buffer(), work.bytes));
  return {};
}

Status SendLane::run() {
  const Deadline end = Deadline::after(work_.duration);
  std::uint64_t iteration = 0;
  for (; more(iteration, end); ++iteration) {
    HAWSER_TRY(prepare(iteration));
    write(iteration);
    if (iteration > 0) HAWSER_TRY(finish(iteration - 1));
  }
  if (iteration > 0) HAWSER_TRY(finish(iteration - 1));
  HAWSER_TRY(messenger_.say(kTagStep, End{iteration}));
  HAWSER_TRY(await_credits(iteration));
  return messenger_.flush();
}

bool SendLane::more(std::uint64_t iteration, const Deadline& end) {
  if (enough_ || messenger_.link_wait().board->stopping()) return false;
  return work_.iterations != 0 ? iteration < work_.iterations : iteration == 0 || !end.expired();
}

// The first ones lie there already. What was written from this slot has been applied.
Status SendLane::prepare(std::uint64_t iteration) {
  if (work_.verify && iteration >= kSlots)
    HAWSER_TRY(
        write_pattern(work_.key(iteration), slot_of(slots_, iteration).buffer(), work_.bytes));
  return await_credits(iteration < kSlots ? 0 : iteration + 1 - kSlots);
}

void SendLane::write(std::uint64_t iteration) {
  const std::size_t slot = iteration % kSlots;
  asked_ += work_.bytes;
  writes_[slot] = messenger_.link_wait().link.write(slots_[slot].region().span(0, work_.bytes),
                                                    remotes_[slot].at(0));
}

Status SendLane::finish(std::uint64_t iteration) {
  HAWSER_TRY(messenger_.link_wait().wait(writes_[iteration % kSlots],
                                         fmt::format("sending iteration {}", iteration)));
  count_.bytes += work_.bytes;
  ++count_.iterations;
  return messenger_.say(kTagStep, Written{iteration});
}

Status SendLane::await_credits(std::uint64_t count) {
  for (; credits_ < count; ++credits_) {
    HAWSER_ASSIGN(const Credit credit,
                  messenger_.expect<Credit>(kTagCredit, "word that an iteration was compared"));
    if (credit.iteration != credits_)
      return Error(Code::protocol, fmt::format("the other side is done with iteration {}, not {}",
                                               credit.iteration, credits_));
    enough_ = enough_ || credit.stop;
  }
  return {};
}

Status ReceiveLane::run() {
  for (std::uint64_t iteration = 0;; ++iteration) {
    HAWSER_ASSIGN(const Message step, messenger_.hear(kTagStep, kStepBytes, kStepText));
    const Written* const written = std::get_if<Written>(&step);
    const End* const end = std::get_if<End>(&step);
    if (end != nullptr && end->iterations == iteration) return messenger_.flush();
    if (written == nullptr || written->iteration != iteration)
      return Error(Code::protocol, fmt::format("{}: came {}, want iteration {} or the end",
                                               kStepText, message_name(step), iteration));
    HAWSER_TRY(take(iteration));
  }
}

Status ReceiveLane::take(std::uint64_t iteration) {
  count_.bytes += work_.bytes;
  ++count_.iterations;
  if (work_.verify && !wrong_) HAWSER_TRY(check(iteration));
  const bool stop = wrong_.has_value() || messenger_.link_wait().board->stopping();
  return messenger_.say(kTagCredit, Credit{iteration, stop});
}

Status ReceiveLane::check(std::uint64_t iteration) {
  HAWSER_ASSIGN(
      const std::optional<Mismatch> found,
      check_pattern(work_.key(iteration), slot_of(slots_, iteration).buffer(), work_.bytes));
  if (found)
    wrong_ = Error(Code::data,
                   fmt::format("iteration {}: wrong data at offset {}: expected 0x{:02X}, found "
                               "0x{:02X}",
                               iteration, found->offset, found->expected, found->found));
  return {};
}

}  // namespace hawser::node
