#include "engine/operations/transfer_state.h"

#include <chrono>
#include <thread>

#include "base/cpu_quota.h"
#include "engine/link_core.h"

namespace hawser::engine {
namespace {

using namespace std::chrono_literals;

// Waiting is looking for so long before it is sleeping: a small transfer ends sooner than a thread
// wakes. Where CPUs are few the engine's threads need them more.
constexpr auto kSpinOfWait = 50us;
constexpr std::size_t kCpusToSpin = 4;

}  // namespace

TransferList::~TransferList() {
  while (!empty()) take(first());  // one by one: a chain of any length would else go by recursion
}

void TransferList::add(std::shared_ptr<TransferState> transfer) {
  TransferState* const added = transfer.get();
  added->listing.previous = last_;
  (last_ != nullptr ? last_->listing.next : first_) = std::move(transfer);
  last_ = added;
}

std::shared_ptr<TransferState> TransferList::take(TransferState& transfer) {
  auto [next, previous] = std::exchange(transfer.listing, {});
  (next != nullptr ? next->listing.previous : last_) = previous;
  return std::exchange(previous != nullptr ? previous->listing.next : first_, std::move(next));
}

void EndedTransfers::add(TransferState& transfer, Status outcome) {
  if (transfer.ends()) return;
  transfer.ends_with(std::move(outcome));
  ended_.add(going_on_.take(transfer));
}

void EndedTransfers::tell() {
  const bool any = ring_ || !ended_.empty();
  while (!ended_.empty()) ended_.take(ended_.first())->tell();
  ring_ = false;
  if (any) bell_.ring();
}

TransferState::TransferState(Error why) : done_(true), outcome_(std::move(why)) {}

void TransferState::finish(Status outcome) {
  {
    const std::lock_guard lock(mutex_);
    if (done()) return;
    outcome_ = std::move(outcome);
    done_.store(true, std::memory_order_release);
    ended_->notify_all();
    if (!*callback_) return;
  }
  if (const auto link = link_.lock())
    link->callback_due(shared_from_this());
  else
    call_back();
}

// Nobody changes the callback any more, nor the outcome.
void TransferState::call_back() {
  const auto callback = std::move(*callback_);
  callback(outcome_);
}

bool TransferState::spin() const {
  static const bool worth_it = usable_cpus() >= kCpusToSpin;
  if (!worth_it) return done();
  const auto until = std::chrono::steady_clock::now() + kSpinOfWait;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= until) return false;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
  return true;
}

bool TransferState::wait(int timeout_ms) {
  if (done() || (timeout_ms != 0 && spin())) return true;
  std::unique_lock lock(mutex_);
  const auto ended = [this] { return done(); };
  if (timeout_ms >= 0) return ended_->wait_for(lock, std::chrono::milliseconds(timeout_ms), ended);
  ended_->wait(lock, ended);
  return true;
}

// Which does not change any more, and needs no lock: in a child it may be held for ever.
Status TransferState::outcome() const {
  if (!done_.load(std::memory_order_acquire)) return inherited_error("this transfer");
  return outcome_;
}

void TransferState::cancel() {
  if (done()) return;
  if (const auto link = link_.lock()) link->cancel(op_);
}

void TransferState::on_done(std::function<void(const Status&)> callback) {
  if (!done()) {
    const std::lock_guard lock(mutex_);
    if (!done()) {
      *callback_ = std::move(callback);
      return;
    }
  }
  if (callback) callback(outcome());
}

int EventBell::fd() {
  const std::lock_guard lock(making_);
  if (made_.load()) return event_.fd();
  auto event = EventFd::make();
  if (!event.ok()) return -1;
  event_ = std::move(*event);
  event_.notify();  // something may have happened before anybody asked for it
  made_.store(true, std::memory_order_release);
  return event_.fd();
}

void EventBell::ring() const {
  if (made_.load(std::memory_order_acquire)) event_.notify();
}

void EventBell::clear() const {
  if (made_.load(std::memory_order_acquire)) event_.clear();
}

}  // namespace hawser::engine
