// What has room at the peer, or waits for it, and what this side has room for.
#include <fmt/core.h>

#include <utility>

#include "engine/operations/operations.h"

namespace hawser::engine {
namespace {

const char* name_of(Kept kind) {
  switch (kind) {
    case Kept::message:
      return "messages";
    case Kept::read:
      return "reads";
    case Kept::notification:
      return "notifications";
  }
  return "";
}

}  // namespace

// ---- at the peer ----

// Nobody overtakes what waits.
bool Operations::has_room_there(Kept kind, std::uint64_t count) const {
  return waiting_[kind].empty() && room_there_.left(kind) >= count;
}

Error Operations::no_room(Kept kind) const {
  return Error(Code::timeout,
               fmt::format("the peer has room for {} more {}, for which {} wait, and this one was "
                           "not to wait (only_if_room)",
                           room_there_.left(kind), name_of(kind), waiting_[kind].size()));
}

void Operations::when_there_is_room(Kept kind, std::uint64_t op, Waiting what,
                                    EndedTransfers& ended) {
  if (has_room_there(kind) && room_there_.take(kind))
    go_on(kind, op, std::move(what), ended);
  else
    waiting_[kind].emplace(op, std::move(what));
}

// It gets its number among all messages only now, or those behind it would wait, too.
void Operations::go_on(Kept kind, std::uint64_t op, Waiting what, EndedTransfers& ended) {
  if (kind != Kept::notification) {
    outbox_.post(std::move(what.message));
    if (kind == Kept::message) return;
    if (const auto part = parts_.find(op); part != parts_.end()) asked(*part->second.inbound);
    return;
  }
  if (what.message->op->kind == Outgoing::Kind::notify) {
    held_notifications_.emplace(op, std::move(what.message));
    release_notifications();
    return;
  }
  const std::shared_ptr<Outgoing> write = what.message->op;
  outbox_.post(std::move(what.message));
  start(write, what.after, ended);
}

// False: that is all for now.
bool Operations::let_through(Kept kind, EndedTransfers& ended) {
  auto& waiting = waiting_[kind];
  for (std::size_t i = 0; i < kAtATime; ++i) {
    if (waiting.empty() || !room_there_.take(kind)) return false;
    auto oldest = waiting.extract(waiting.begin());
    go_on(kind, oldest.key(), std::move(oldest.mapped()), ended);
  }
  return true;
}

void Operations::take_room(const wire::Room& room) {
  {
    const Lock lock(mutex_);
    room_there_.grant(room);
  }
  for (const Kept kind : kAllKept)
    for (bool more = true; more;) {
      EndedTransfers ended(going_on_, bell_);
      const Lock lock(mutex_);
      more = let_through(kind, ended);
    }
  wake_(outbox_.unsent_bytes());
}

std::size_t Operations::waiting_for_room() const {
  const Lock lock(mutex_);
  std::size_t sum = 0;
  for (const auto& waiting : waiting_) sum += waiting.size();
  return sum;
}

// ---- here ----

Status Operations::take_room_here(Kept kind) {
  if (!room_here_.take(kind))
    return Error(Code::protocol,
                 fmt::format("the peer sent more {} than it was granted room for", name_of(kind)));
  tell_room(kind);
  return {};
}

void Operations::give_back(Kept kind) {
  room_here_.give_back(kind);
  tell_room(kind);
}

// One at a time is on its way: what is given back meanwhile goes with the next. Without a number:
// the peer may be waiting for it with what comes before.
void Operations::tell_room(Kept kind) {
  if (!room_here_.worth_telling(kind) || room_told_ != nullptr || ended_) return;
  auto message = std::make_shared<Message>();
  message->record = room_here_.to_tell();
  outbox_.post_unordered(message);
  room_told_ = std::move(message);
  room_here_.told();
}

void Operations::room_was_heard_of() {
  room_told_.reset();
  for (const Kept kind : kAllKept) tell_room(kind);
}

}  // namespace hawser::engine
