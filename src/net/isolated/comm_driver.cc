#include "net/isolated/comm_driver.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "base/log.h"
#include "net/hosted/call_journal.h"
#include "net/unpack/unpacked_receives.h"

namespace hawser::isolate {
namespace {

// So long it looks on after it has moved something, offering its core to others; then it naps while
// requests are in flight, since only a plugin's test() makes them go on, and sleeps where none are.
constexpr std::chrono::microseconds kLookOn{100};
constexpr std::int64_t kShortestNapNs = 20'000;
constexpr int kNapsPerDoubling = 16;
constexpr int kNapDoublings = 6;  // to 1.3 ms

}  // namespace

CommDriver::CommDriver(DriverParts parts)
    : parts_(std::move(parts)), fields_(parts_.memory->fields()), taken_(parts_.memory->slots()) {}

Status CommDriver::start() {
  HAWSER_ASSIGN(thread_, Thread::start(parts_.thread_name, [this] { loop(); }));
  return {};
}

Status CommDriver::register_slots() {
  const std::lock_guard lock(mutex_);
  if (registration_.load() != nullptr) return {};
  if (closing()) return Error(Code::cancelled, "the comm is being closed");
  const auto payload = parts_.memory->payload();
  HAWSER_ASSIGN(Registration* const made,
                comm()->register_memory({payload.data(), payload.size(), MemoryKind::host}));
  registration_.store(made);
  return {};
}

void CommDriver::close() {
  closing_.store(true);
  fields_.sleeps.store(0);
  futex_wake(fields_.sleeps);
  thread_.join();
  const std::lock_guard lock(mutex_);  // another thread may still be registering
  const CallLabel label(parts_.label.c_str());
  if (Registration* const registration = registration_.exchange(nullptr)) {
    const Status dropped = comm()->deregister(registration);
    if (!dropped.ok()) log_warning("{}", dropped.error().message());
  }
  close_comm();
}

void CommDriver::loop() {
  const CallLabel label(parts_.label.c_str());
  fields_.driver_thread.store(static_cast<int>(::gettid()));
  moved_at_ = Clock::system().now();
  Status going = begin();
  while (going.ok() && !closing()) {
    const Result<bool> moved = step();
    if (!moved.ok()) {
      going = moved.error();
    } else if (*moved) {
      moved_at_ = Clock::system().now();
      naps_ = 0;
    } else {
      rest(seen_ != completed_);
    }
  }
  if (!going.ok()) fail(going.error());
}

Result<bool> CommDriver::step() {
  HAWSER_ASSIGN(const bool taken, take_posts());
  HAWSER_ASSIGN(const bool tested, test_posted());
  HAWSER_ASSIGN(const bool completed, complete_tested());
  return taken || tested || completed;
}

Result<bool> CommDriver::take_posts() {
  bool moved = false;
  CommMemory& memory = *parts_.memory;
  seen_ = std::min(fields_.posted.load(std::memory_order_acquire), completed_ + memory.slots());
  if (posted_ < seen_ && registration_.load() == nullptr) HAWSER_TRY(register_slots());
  for (; posted_ < seen_; ++posted_, moved = true) {
    Taken& place = taken_[posted_ % memory.slots()];
    place.post = memory.post(posted_);
    if (place.post.bytes > memory.slot_bytes())
      return Error(Code::protocol, fmt::format("a post of {} bytes in a slot of {}",
                                               place.post.bytes, memory.slot_bytes()));
    HAWSER_ASSIGN(place.request, post(place.post, memory.slot(posted_), registration_.load()));
    if (place.request == nullptr) break;
  }
  return moved;
}

Result<bool> CommDriver::test_posted() {
  const std::uint64_t first = tested_;
  for (; tested_ < posted_; ++tested_) {
    Taken& next = taken_[tested_ % taken_.size()];
    HAWSER_ASSIGN(const bool done,
                  test(next.request, next.post, parts_.memory->slot(tested_), next.completion));
    if (!done) break;
  }
  HAWSER_TRY(end_round());
  return tested_ > first;
}

Result<bool> CommDriver::complete_tested() {
  const std::uint64_t first = completed_;
  while (completed_ < tested_) {
    HAWSER_ASSIGN(const bool ended, finished());
    if (!ended) break;
    complete(taken_[completed_ % taken_.size()].completion);
  }
  return completed_ > first;
}

// The order of counter and look is the poster's, reversed: one of the two sees the other.
void CommDriver::complete(const Completion& completion) {
  parts_.memory->completion(completed_) = completion;
  fields_.completed.store(++completed_, std::memory_order_seq_cst);
  if (fields_.poster_waits.load(std::memory_order_seq_cst) == 0) return;
  if (fields_.poster_waits.exchange(0) == 0) return;
  parts_.bell->ring();
  fields_.rung.fetch_add(1, std::memory_order_release);
}

void CommDriver::fail(const Error& error) {
  const std::size_t length =
      std::min(error.message().size(), std::size_t{CommFields::kErrorBytes - 1});
  std::memcpy(fields_.error, error.message().data(), length);
  fields_.failed.store(1 + static_cast<std::uint32_t>(error.code()), std::memory_order_release);
  parts_.bell->ring();
  fields_.rung.fetch_add(1, std::memory_order_release);
}

void CommDriver::rest(bool working) {
  if (Clock::system().now() - moved_at_ < kLookOn)
    std::this_thread::yield();
  else
    sleep(working);
}

void CommDriver::sleep(bool working) {
  fields_.sleeps.store(1, std::memory_order_seq_cst);
  const bool more = fields_.posted.load(std::memory_order_seq_cst) != seen_ &&
                    seen_ != completed_ + parts_.memory->slots();
  if (!more && !closing()) {
    const int doublings = std::min(naps_++ / kNapsPerDoubling, kNapDoublings);
    futex_sleep(fields_.sleeps, 1, working ? kShortestNapNs << doublings : -1);
  }
  fields_.sleeps.store(0, std::memory_order_relaxed);
}

namespace {

class SendDriver : public CommDriver {
 public:
  SendDriver(std::unique_ptr<SendComm> comm, DriverParts parts)
      : CommDriver(std::move(parts)), comm_(std::move(comm)) {}

 private:
  Comm* comm() override { return comm_.get(); }
  void close_comm() override { comm_.reset(); }
  Result<Request*> post(const Post& post, std::byte* slot, Registration* registration) override {
    return comm_->try_send(slot, post.bytes, post.tag, registration);
  }
  Result<bool> test(Request* request, const Post&, std::byte*, Completion& completion) override {
    HAWSER_ASSIGN(const TestResult result, comm_->test(request));
    completion = {};
    return result.done;
  }

  std::unique_ptr<SendComm> comm_;
};

class ReceiveDriver : public CommDriver {
 public:
  ReceiveDriver(std::unique_ptr<ReceiveComm> comm, DriverParts parts)
      : CommDriver(std::move(parts)),
        comm_(std::move(comm)),
        unpacked_(*comm_, this->parts().memory->slots()) {}

 private:
  Comm* comm() override { return comm_.get(); }
  void close_comm() override {
    unpacker_.reset();  // waits for what it reads of the pool
    comm_.reset();
  }
  Status begin() override;
  Result<Request*> post(const Post& post, std::byte* slot, Registration* registration) override {
    return comm_->try_receive(slot, post.bytes, post.tag, registration);
  }
  Result<bool> test(Request* request, const Post& post, std::byte* slot,
                    Completion& completion) override;
  Status end_round() override { return unpacked_.submit(); }
  Result<bool> finished() override {
    return unpacker_ != nullptr ? unpacked_.take_oldest() : Result<bool>(true);
  }

  std::unique_ptr<ReceiveComm> comm_;
  std::unique_ptr<Unpacker> unpacker_;  // where the plugin's receives must be unpacked
  UnpackedReceives unpacked_;
};

Status ReceiveDriver::begin() {
  if (!parts().capabilities.needs_unpack) return {};
  if (parts().gpu != nullptr) HAWSER_TRY(parts().gpu->make_current());
  // No kernel writes to memory that is shared between processes.
  UnpackOptions options;
  options.mode = comm_->bounce_kind() == MemoryKind::cuda ? UnpackMode::d2d : UnpackMode::host;
  HAWSER_ASSIGN(unpacker_, Unpacker::create(options, parts().gpu, parts().memory->slot_bytes(),
                                            parts().memory->slots()));
  return {};
}

Result<bool> ReceiveDriver::test(Request* request, const Post& post, std::byte* slot,
                                 Completion& completion) {
  HAWSER_ASSIGN(const TestResult result, comm_->test(request));
  if (!result.done) return false;
  completion = {CommFields::kAllPosted, 0, 0, 0};
  if (unpacker_ != nullptr) {
    // A message may be shorter than its receive.
    HAWSER_ASSIGN(const Unpacker::Arrival arrival,
                  unpacked_.add(request, *unpacker_, {slot, post.bytes, Reach::pageable, false}));
    completion = {arrival.end, arrival.bytes, 1, 0};
  } else if (result.bytes) {
    completion = {*result.bytes, *result.bytes, 1, 0};
  }
  return true;
}

}  // namespace

std::shared_ptr<CommDriver> make_driver(std::unique_ptr<SendComm> comm, DriverParts parts) {
  return std::make_shared<SendDriver>(std::move(comm), std::move(parts));
}
std::shared_ptr<CommDriver> make_driver(std::unique_ptr<ReceiveComm> comm, DriverParts parts) {
  return std::make_shared<ReceiveDriver>(std::move(comm), std::move(parts));
}

}  // namespace hawser::isolate
