#include "isolate/comm_driver.h"

#include <fmt/core.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/log.h"
#include "net/call_journal.h"

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

void CommDriver::start() {
  thread_ = std::thread([this] { loop(); });
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
  pthread_setname_np(pthread_self(), parts_.thread_name.c_str());
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
  HAWSER_ASSIGN(const bool completed, take_completion());
  return taken || completed;
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

Result<bool> CommDriver::take_completion() {
  if (completed_ == posted_) return false;
  const Taken& oldest = taken_[completed_ % taken_.size()];
  HAWSER_ASSIGN(const auto completion,
                test(oldest.request, oldest.post, parts_.memory->slot(completed_)));
  if (!completion) return false;
  complete(*completion);
  return true;
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
  Result<std::optional<Completion>> test(Request* request, const Post&, std::byte*) override {
    HAWSER_ASSIGN(const TestResult result, comm_->test(request));
    return result.done ? std::optional<Completion>(Completion{}) : std::nullopt;
  }

  std::unique_ptr<SendComm> comm_;
};

class ReceiveDriver : public CommDriver {
 public:
  ReceiveDriver(std::unique_ptr<ReceiveComm> comm, DriverParts parts)
      : CommDriver(std::move(parts)), comm_(std::move(comm)) {}

 private:
  Comm* comm() override { return comm_.get(); }
  void close_comm() override { comm_.reset(); }
  Status begin() override;
  Result<Request*> post(const Post& post, std::byte* slot, Registration* registration) override {
    return comm_->try_receive(slot, post.bytes, post.tag, registration);
  }
  Result<std::optional<Completion>> test(Request* request, const Post& post,
                                         std::byte* slot) override;
  Result<Completion> unpack(Request* request, const Post& post, std::byte* slot);
  Status copy_out(const Fragments& fragments, const Post& post, std::byte* slot);

  std::unique_ptr<ReceiveComm> comm_;
  std::unique_ptr<CopyQueue> copies_;  // where the plugin's receives must be unpacked
};

Status ReceiveDriver::begin() {
  if (!parts().capabilities.needs_unpack) return {};
  if (parts().gpu == nullptr) {
    copies_ = make_host_copy_queue();
    return {};
  }
  HAWSER_TRY(parts().gpu->make_current());
  HAWSER_ASSIGN(copies_, make_gpu_copy_queue(parts().gpu, 1));
  return {};
}

Result<std::optional<Completion>> ReceiveDriver::test(Request* request, const Post& post,
                                                      std::byte* slot) {
  HAWSER_ASSIGN(const TestResult result, comm_->test(request));
  if (!result.done) return std::optional<Completion>();
  if (parts().capabilities.needs_unpack) {
    HAWSER_ASSIGN(const Completion unpacked, unpack(request, post, slot));
    return std::optional<Completion>(unpacked);
  }
  Completion completion{CommFields::kAllPosted, 0, 0, 0};
  if (result.bytes) completion = {*result.bytes, *result.bytes, 1, 0};
  return std::optional<Completion>(completion);
}

Result<Completion> ReceiveDriver::unpack(Request* request, const Post& post, std::byte* slot) {
  HAWSER_ASSIGN(const Fragments fragments, comm_->fragments(request));
  // No fragments at all: nothing came, or the plugin has put it in its place.
  Completion completion{fragments.list.empty() ? CommFields::kAllPosted : 0, 0, 0, 0};
  HAWSER_TRY(copy_out(fragments, post, slot));
  for (const Fragment& fragment : fragments.list) {
    completion.received += fragment.bytes;
    completion.landed = std::max(completion.landed, fragment.destination_offset + fragment.bytes);
    completion.told = 1;
  }
  HAWSER_TRY(comm_->consume(request));
  return completion;
}

Status ReceiveDriver::copy_out(const Fragments& fragments, const Post& post, std::byte* slot) {
  for (const Fragment& fragment : fragments.list) {
    if (fragment.destination_offset > post.bytes ||
        fragment.bytes > post.bytes - fragment.destination_offset)
      return Error(
          Code::plugin,
          fmt::format("a fragment of {} bytes for offset {} does not fit a receive of {} bytes",
                      fragment.bytes, fragment.destination_offset, post.bytes));
    HAWSER_TRY(copies_->copy(slot + fragment.destination_offset,
                             fragments.bounce + fragment.source_offset, fragment.bytes));
  }
  HAWSER_ASSIGN(const std::uint64_t mark, copies_->mark());
  while (!closing()) {
    HAWSER_ASSIGN(const bool finished, copies_->finished(mark));
    if (finished) return {};
    std::this_thread::yield();
  }
  return Error(Code::cancelled, "the comm was closed while a receive was copied");
}

}  // namespace

std::shared_ptr<CommDriver> make_driver(std::unique_ptr<SendComm> comm, DriverParts parts) {
  return std::make_shared<SendDriver>(std::move(comm), std::move(parts));
}
std::shared_ptr<CommDriver> make_driver(std::unique_ptr<ReceiveComm> comm, DriverParts parts) {
  return std::make_shared<ReceiveDriver>(std::move(comm), std::move(parts));
}

}  // namespace hawser::isolate
