// What a Transfer shows of an operation.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/event_fd.h"
#include "base/fork.h"
#include "base/result.h"
#include "engine/operations/transfer_list.h"

namespace hawser::engine {

class LinkCore;
class TransferState;
class EventBell;

// Transfers that have ended while a lock was held, to be told when it is not. Not thread-safe; that
// lock guards `going_on`, where a transfer is until it is added here.
class EndedTransfers {
 public:
  EndedTransfers(TransferList& going_on, EventBell& bell) : going_on_(going_on), bell_(bell) {}
  ~EndedTransfers() { tell(); }
  EndedTransfers(const EndedTransfers&) = delete;
  EndedTransfers& operator=(const EndedTransfers&) = delete;

  // Needs no memory. Of one that has been added already, nothing comes.
  void add(TransferState& transfer, Status outcome);
  void ring() { ring_ = true; }  // something else happened that an event loop wants to know
  void tell();

 private:
  TransferList& going_on_;
  EventBell& bell_;
  bool ring_ = false;
  TransferList ended_;
};

// Thread-safe. A child of fork() finds it ended; what has not ended in the parent by then, with an
// error.
class TransferState : public std::enable_shared_from_this<TransferState> {
 public:
  // `op` is its name on `link`, for cancel().
  TransferState(std::weak_ptr<LinkCore> link, std::uint64_t op, std::uint64_t bytes)
      : link_(std::move(link)), op_(op), bytes_(bytes) {}
  // One that was refused.
  explicit TransferState(Error why);

  void set_bytes(std::uint64_t bytes) { bytes_.store(bytes, std::memory_order_relaxed); }
  void add_done(std::uint64_t bytes) { bytes_done_.fetch_add(bytes, std::memory_order_relaxed); }
  // Once; no lock may be held. A callback becomes due.
  void finish(Status outcome);
  // The same, in two steps, the first of them under its link's lock. Once.
  bool ends() const { return due_.has_value(); }
  void ends_with(Status outcome) { due_ = std::move(outcome); }
  void tell() { finish(*std::move(due_)); }
  TransferListing listing;  // among those of its link that go on; then among those about to be told
  // Of one that has ended and has a callback, once.
  void call_back();
  // The next of its link's callbacks that are due; guarded by the lock of Callbacks.
  std::shared_ptr<TransferState> next_due;

  bool done() const { return done_.load(std::memory_order_acquire) || made_.inherited(); }
  bool wait(int timeout_ms);
  Status outcome() const;  // of one that is done
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  std::uint64_t bytes_done() const { return bytes_done_.load(std::memory_order_relaxed); }
  void cancel();
  void on_done(std::function<void(const Status&)> callback);

 private:
  bool spin() const;

  const std::weak_ptr<LinkCore> link_;
  const std::uint64_t op_ = 0;
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> bytes_done_{0};
  std::optional<Status> due_;
  std::atomic<bool> done_{false};  // publishes the outcome, and the data
  mutable std::mutex mutex_;       // guards what follows
  LeftInChildren<std::condition_variable> ended_;
  Status outcome_;
  LeftInChildren<std::function<void(const Status&)>> callback_;
  const ForkMark made_;
};

// The engine's event descriptor, made when first asked for. Thread-safe.
class EventBell {
 public:
  int fd();  // -1: no descriptor is to be had
  void ring() const;
  void clear() const;

 private:
  EventFd event_;
  std::atomic<bool> made_{false};  // publishes event_, which does not change any more
  std::mutex making_;
};

}  // namespace hawser::engine
