#include "net/isolated/isolated_comm.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "base/log.h"
#include "base/without_memory.h"
#include "memory/access.h"
#include "memory/careful_copies.h"

namespace hawser::isolate {

namespace {

// A user's memory may vanish at any moment. False: it has.
bool copy(void* to, const void* from, std::size_t bytes, const Registration* registration) {
  if (bytes == 0) return true;
  const auto* const known = static_cast<const HostedRegistration*>(registration);
  if (known != nullptr && known->range.may_vanish) {
    const BlockCopy block{to, from, bytes};
    return CarefulCopies(nullptr).copy({&block, 1}).err == 0;
  }
  std::memcpy(to, from, bytes);
  return true;
}

}  // namespace

IsolatedCommCore::IsolatedCommCore(CommParts parts)
    : process_(std::move(parts.process)),
      device_(*parts.device),
      memory_(std::move(parts.memory)),
      bell_(*std::move(parts.bell)),
      number_(parts.number),
      window_(static_cast<int>(memory_->slots())),
      registrations_(device_.registrations ? *device_.registrations : own_registrations_) {
  process_->add(*this);
}

IsolatedCommCore::~IsolatedCommCore() {
  process_->remove(*this);
  unless_out_of_memory([this] {
    if (own_registrations_.size() > 0)
      log_warning("{}: a comm of device {} is closed with {} registrations left", device_.plugin,
                  device_.index, own_registrations_.size());
    HostCall request;
    request.kind = HostCallKind::close_comm;
    request.comm = number_;
    process_->tell(request);
  });
}

Status IsolatedCommCore::check_range(const MemoryRange& range) const {
  if (range.data == nullptr || range.bytes == 0)
    return Error(Code::invalid_argument, device_.plugin + ": nothing to register");
  if (range.kind == MemoryKind::cuda)
    return Error(Code::unavailable,
                 fmt::format("{}: device {} takes no CUDA memory, because the plugin is isolated: "
                             "stage it through host memory",
                             device_.plugin, device_.index));
  return {};
}

Result<Registration*> IsolatedCommCore::register_memory(const MemoryRange& range) {
  HAWSER_TRY(check_range(range));
  if (!registered_.load()) {
    HostCall request;
    request.kind = HostCallKind::register_slots;
    request.comm = number_;
    const auto answer = process_->ask(request);
    if (!answer.ok()) return answer.error();
    registered_.store(true);
  }
  if (auto failed = failure()) return *failed;
  HostedRegistration made;
  made.range = range;
  return registrations_.add(made);
}

Status IsolatedCommCore::deregister(Registration* registration) {
  if (registrations_.take(registration) != nullptr) return {};
  return Error(Code::internal,
               fmt::format("{}: deregister() of a registration that is not, or no longer, one of "
                           "this {}",
                           device_.plugin, device_.registrations ? "device" : "comm"));
}

Status IsolatedCommCore::check_post(const char* entry, const void* data, std::size_t bytes,
                                    Registration* registration) {
  if (auto failed = failure()) return *failed;
  if (window_.full())
    return Error(
        Code::internal,
        fmt::format("{}: {} with {} requests in flight on this comm of device {}, the most "
                    "there may be",
                    device_.plugin, entry, window_.unreleased(), device_.index));
  if (bytes > device_.capabilities.max_request_bytes)
    return Error(Code::invalid_argument,
                 fmt::format("{}: {} of {} bytes, more than the {} of one request on device {}",
                             device_.plugin, entry, bytes, device_.capabilities.max_request_bytes,
                             device_.index));
  const auto* const known = static_cast<const HostedRegistration*>(registration);
  if (known == nullptr ? bytes > 0 : !known->holds(data, bytes))
    return Error(Code::invalid_argument,
                 fmt::format("{}: {} of {} bytes at {} outside of its registration", device_.plugin,
                             entry, bytes, data));
  return {};
}

// The order of counter and look is the driver's, reversed: one of the two sees the other.
Request* IsolatedCommCore::post(void* data, std::size_t bytes, int tag,
                                const Registration* registration) {
  HostedRequest& place = window_.next();
  place.data = data;
  place.bytes = bytes;
  place.registration = static_cast<const HostedRegistration*>(registration);
  memory_->post(posted_) = {bytes, tag, 0};
  CommFields& fields = memory_->fields();
  fields.posted.store(++posted_, std::memory_order_seq_cst);
  window_.post();
  if (fields.sleeps.load(std::memory_order_seq_cst) != 0 && fields.sleeps.exchange(0) != 0)
    futex_wake(fields.sleeps);
  return &place;
}

std::optional<Result<Completion>> IsolatedCommCore::completion(const Request* request) {
  const HostedRequest* const oldest = window_.oldest_unfinished();
  if (oldest == nullptr || oldest != request)
    return Result<Completion>(Error(
        Code::internal, device_.plugin + ": test() of a request that is not the oldest unfinished "
                                         "one of its comm"));
  if (auto found = look(oldest->sequence)) return found;
  if (!sleeps_.load(std::memory_order_relaxed)) return std::nullopt;
  arm();
  return look(oldest->sequence);
}

// What was completed before a failure still counts, so the failure is looked at first.
std::optional<Result<Completion>> IsolatedCommCore::look(std::uint64_t sequence) {
  auto failed = failure();
  if (memory_->fields().completed.load(std::memory_order_seq_cst) > sequence)
    return Result<Completion>(memory_->completion(sequence));
  if (failed) return Result<Completion>(*std::move(failed));
  return std::nullopt;
}

// Still, then armed, then the caller looks again: what comes after that rings.
void IsolatedCommCore::arm() {
  CommFields& fields = memory_->fields();
  const std::uint64_t rung = fields.rung.load(std::memory_order_acquire);
  if (fields.poster_waits.load(std::memory_order_relaxed) != 0 && rung == stilled_) return;
  stilled_ = rung;
  bell_.still();
  fields.poster_waits.store(1, std::memory_order_seq_cst);
}

void IsolatedCommCore::finish() {
  window_.finish();
  window_.release();
}

int IsolatedCommCore::wait_fd() const {
  sleeps_.store(true);
  return bell_.fd();
}

std::optional<Error> IsolatedCommCore::failure() {
  if (!failed_.load(std::memory_order_acquire)) {
    CommFields& fields = memory_->fields();
    const std::uint32_t code = fields.failed.load(std::memory_order_acquire);
    if (code == 0) return std::nullopt;
    const char* const text = fields.error;
    fail(Error(to_code(code - 1), std::string(text, strnlen(text, CommFields::kErrorBytes))));
  }
  const std::lock_guard lock(mutex_);
  return error_;
}

void IsolatedCommCore::fail(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = error;
  }
  failed_.store(true, std::memory_order_release);
  bell_.ring();
}

Result<Request*> IsolatedSendComm::try_send(const void* data, std::size_t bytes, int tag,
                                            Registration* registration) {
  HAWSER_TRY(core_.check_post("isend", data, bytes, registration));
  if (!copy(core_.next_slot(), data, bytes, registration))
    return cannot_touch(data, bytes, Access::read);
  return core_.post(const_cast<void*>(data), bytes, tag, registration);
}

Result<TestResult> IsolatedSendComm::test(Request* request) {
  const auto completion = core_.completion(request);
  if (!completion) return TestResult{};
  if (!completion->ok()) return completion->error();
  core_.finish();
  return TestResult{true, std::nullopt};
}

Result<Request*> IsolatedReceiveComm::try_receive(void* data, std::size_t bytes, int tag,
                                                  Registration* registration) {
  HAWSER_TRY(core_.check_post("irecv", data, bytes, registration));
  return core_.post(data, bytes, tag, registration);
}

Result<TestResult> IsolatedReceiveComm::test(Request* request) {
  const auto completion = core_.completion(request);
  if (!completion) return TestResult{};
  if (!completion->ok()) return completion->error();
  const Completion& done = **completion;
  const HostedRequest& oldest = core_.oldest();
  const std::size_t landed = std::min<std::size_t>(done.landed, oldest.bytes);
  TestResult result{true, std::nullopt};
  if (!copy(oldest.data, core_.oldest_slot(), landed, oldest.registration)) result.lost = Lost::own;
  if (done.told != 0) result.bytes = std::min<std::size_t>(done.received, oldest.bytes);
  core_.finish();
  return result;
}

}  // namespace hawser::isolate
