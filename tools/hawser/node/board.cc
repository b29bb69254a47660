#include "node/board.h"

#include <utility>

namespace hawser::node {

void Board::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

void Board::call_off(const Error& reason) {
  const std::lock_guard lock(mutex_);
  if (!called_off_) called_off_ = reason;
  changed_.notify_all();
}

std::optional<Error> Board::called_off() const {
  const std::lock_guard lock(mutex_);
  return called_off_;
}

Status Board::claim_peer(std::uint64_t process) {
  const std::lock_guard lock(mutex_);
  if (peer_ == 0) peer_ = process;
  if (peer_ == process) return {};
  return Error(Code::peer, "another node has taken the other GPUs already");
}

Result<bool> Board::settle(const Settled& settled) {
  const std::lock_guard lock(mutex_);
  const bool first = !settled_;
  if (first) settled_ = settled;
  if (settled_->plan.seed == settled.plan.seed &&
      settled_->plan.server.terms == settled.plan.server.terms)
    return first;
  return Error(Code::protocol, "the server planned something else for another GPU");
}

std::optional<Settled> Board::settled() const {
  const std::lock_guard lock(mutex_);
  return settled_;
}

void Board::arrive() {
  const std::lock_guard lock(mutex_);
  if (missing_ > 0 && --missing_ == 0) start_ = Clock::system().now();
  changed_.notify_all();
}

void Board::wait_for_all() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return missing_ == 0 || called_off_ || stopping_; });
}

TimePoint Board::start() const {
  const std::lock_guard lock(mutex_);
  return start_.value_or(Clock::system().now());
}

void Board::note(std::string line) {
  const std::lock_guard lock(mutex_);
  notes_.push_back(std::move(line));
}

std::vector<std::string> Board::take_notes() {
  const std::lock_guard lock(mutex_);
  return std::exchange(notes_, {});
}

}  // namespace hawser::node
