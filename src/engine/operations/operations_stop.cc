// Operations that end early: taken back, overdue, or by force.
#include <fmt/core.h>

#include <utility>

#include "engine/operations/operations.h"

namespace hawser::engine {
namespace {

Error not_answered(Milliseconds waited) {
  return Error(Code::timeout,
               fmt::format("the transfer was stopped, and the peer has not said within {} ms what "
                           "it has of it: it may have all",
                           waited.count()));
}

}  // namespace

// ---- what is kept of each that goes on ----

void Operations::begin(std::uint64_t op, const RegionUse& region, int timeout_ms) {
  by_region_.emplace(region.get(), op);
  if (timeout_ms > 0)
    set_deadline(op, Clock::system().now() + std::chrono::milliseconds(timeout_ms));
}

void Operations::forget(std::uint64_t op, const RegionUse& region, const Ending& ending) {
  by_region_.erase({region.get(), op});
  if (ending.deadline != TimePoint{}) deadlines_.erase({ending.deadline, op});
}

Ending* Operations::ending_of(std::uint64_t op) {
  if (const auto at = outgoing_.find(op); at != outgoing_.end()) return &at->second->ending;
  if (const auto at = sends_.find(op); at != sends_.end()) return &at->second.ending;
  if (const auto at = inbound_.find(op); at != inbound_.end()) return &at->second->ending;
  return nullptr;
}

void Operations::set_deadline(std::uint64_t op, TimePoint deadline) {
  Ending* const ending = ending_of(op);
  if (ending == nullptr) return;
  if (ending->deadline != TimePoint{}) deadlines_.erase({ending->deadline, op});
  ending->deadline = deadline;
  deadlines_.emplace(deadline, op);
}

// ---- taken back ----

void Operations::stop(std::uint64_t op, Error why) {
  EndedTransfers ended(going_on_, bell_);
  {
    const Lock lock(mutex_);
    stop_op(op, why, ended);
  }
  wake_(0);
}

void Operations::stop_op(std::uint64_t op, const Error& why, EndedTransfers& ended) {
  if (const auto at = outgoing_.find(op); at != outgoing_.end()) {
    stop_outgoing(std::shared_ptr(at->second), why, ended, Stopping::withdrawn);
  } else if (const auto send = sends_.find(op); send != sends_.end()) {
    stop_send(send->second, why, ended);
  } else if (const auto inbound = inbound_.find(op); inbound != inbound_.end()) {
    stop_inbound(std::shared_ptr(inbound->second), why, ended);
  }
  Ending* const ending = ending_of(op);
  if (ending == nullptr || std::exchange(ending->asked_for, true)) return;
  set_deadline(op, Clock::system().now() + ending_);
}

void Operations::stop(const LocalRegion& region, const Error& why) {
  std::pair<const LocalRegion*, std::uint64_t> next{&region, 0};
  bool more = true;
  while (more) {
    EndedTransfers ended(going_on_, bell_);
    const Lock lock(mutex_);
    for (std::size_t i = 0; i < kAtATime && more; ++i) {
      const auto at = by_region_.lower_bound(next);
      more = at != by_region_.end() && at->first == &region;
      if (!more) break;
      next.second = at->second + 1;
      stop_op(at->second, why, ended);
    }
  }
  EndedTransfers ended(going_on_, bell_);
  {
    const Lock lock(mutex_);
    std::vector<std::shared_ptr<Outgoing>> served;
    for (auto at = served_.lower_bound({&region, 0}); at != served_.end() && at->first == &region;
         ++at)
      served.push_back(replies_.at(at->second));
    for (const auto& reply : served) stop_outgoing(reply, why, ended);
  }
  wake_(0);
}

// ---- overdue, and by force ----

std::shared_ptr<LettingGo> Operations::look_at_deadlines(TimePoint now) {
  const Error overdue(Code::timeout, "the transfer did not end within its own time limit");
  auto forced = std::make_shared<LettingGo>();
  bool any = false;
  for (bool more = true; more;) {
    EndedTransfers ended(going_on_, bell_);
    const Lock lock(mutex_);
    for (std::size_t i = 0; i < kAtATime; ++i) {
      more = !deadlines_.empty() && deadlines_.begin()->first <= now;
      if (!more) break;
      any = true;
      const std::uint64_t op = deadlines_.begin()->second;
      deadlines_.erase(deadlines_.begin());
      Ending* const ending = ending_of(op);
      ending->deadline = TimePoint{};
      if (ending->asked_for)
        end_by_force(op, *forced);
      else
        stop_op(op, overdue, ended);
    }
  }
  if (any) wake_(0);
  return forced->ops.empty() ? nullptr : forced;
}

void Operations::end_by_force(std::uint64_t op, LettingGo& what) {
  what.ops.push_back(op);
  if (const auto at = outgoing_.find(op); at != outgoing_.end()) {
    outbox_.drop(*at->second);
    if (!at->second->stopped) at->second->stopped = not_answered(ending_);
    what.outgoing.insert(at->second);
  } else if (const auto inbound = inbound_.find(op); inbound != inbound_.end()) {
    for (std::uint64_t part = inbound->second->first_part; part < inbound->second->parts_end;
         ++part)
      if (parts_.erase(part) > 0) what.parts.insert(part);
  }
}

std::shared_ptr<LettingGo> Operations::served_from(const LocalRegion& region) {
  auto what = std::make_shared<LettingGo>();
  what->region = &region;
  const Lock lock(mutex_);
  for (auto at = served_.lower_bound({&region, 0}); at != served_.end() && at->first == &region;
       ++at)
    what->outgoing.insert(replies_.at(at->second));
  return what;
}

void Operations::let_go(const LettingGo& what) {
  EndedTransfers ended(going_on_, bell_);
  {
    const Lock lock(mutex_);
    if (ended_) return;
    for (const auto& op : what.outgoing) {
      if (op->ended) continue;
      op->stopped = not_answered(ending_);
      finish(op, ended);
    }
    for (const std::uint64_t op : what.ops) {
      if (sends_.contains(op)) end_send(op, not_answered(ending_), ended);
      if (const auto at = inbound_.find(op); at != inbound_.end()) {
        const std::shared_ptr<Inbound> inbound = at->second;
        inbound->broken = true;
        inbound->error = not_answered(ending_);
        end_inbound(inbound, ended);
      }
    }
  }
  wake_(0);
}

}  // namespace hawser::engine
