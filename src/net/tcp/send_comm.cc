#include "net/tcp/send_comm.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.h"
#include "base/socket.h"
#include "base/without_memory.h"

namespace hawser::tcp {

TcpSendComm::TcpSendComm(Connection first, const ListenerName& listener, unsigned flows)
    : device_(*first.device),
      listener_(listener),
      flows_(flows),
      first_(std::move(first), queue_, first_failure_, nullptr),
      watch_(device_.socket.peer_silence_ms) {}

TcpSendComm::~TcpSendComm() {
  let_go();
  if (const std::size_t left = queue_.window().in_flight(); left > 0 && !failure_)
    unless_out_of_memory([&] {
      log_warning("closing {} with {} sends in flight", first_.connection().text(), left);
    });
}

Result<Registration*> TcpSendComm::register_memory(const MemoryRange& range) {
  return device_.registrations.add(range);
}

Status TcpSendComm::deregister(Registration* registration) {
  return device_.registrations.remove(registration);
}

Result<Request*> TcpSendComm::try_send(const void* data, std::size_t bytes, int tag,
                                       Registration* registration) {
  if (failure_) return *failure_;
  HAWSER_TRY(check_post(registration, data, bytes));
  if (queue_.window().in_flight() == kMaxRequests)
    return Error(Code::internal, fmt::format("window exceeded: {} sends are in flight on {}",
                                             kMaxRequests, first_.connection().text()));
  SendMessage* const message = queue_.post(data, bytes, tag, may_vanish(registration));
  if (message == nullptr) return nullptr;
  if (bytes >= SendQueue::kLargeBytes && flows_ > 1) send_large();
  if (!holds_back(bytes)) first_.drive();
  return message;
}

// Whoever has other requests to test will come back to do so. Large messages wait for each other
// over one flow only: several share each of them.
bool TcpSendComm::holds_back(std::size_t bytes) {
  const std::uint64_t together = flows_ == 1 || alone_ ? kHoldMessages * bytes : 0;
  const auto enough = std::clamp(together, kLeastHoldBytes, SendQueue::kBatchBytes);
  return queue_.window().in_flight() > 1 && queue_.unclaimed() < enough;
}

// The caller, who has other things to do, leaves it to the threads, unless they sleep: waking takes
// longer than a small piece. Where callers fill the cores, each does its own.
void TcpSendComm::send_large() {
  if (alone()) return first_.take_large(true);
  if (!opened_) open_flows();
  first_.take_large(!call_flows());
}

bool TcpSendComm::alone() {
  const bool alone = device_.yields && device_.io->crowded(sent_large_);
  if (alone != alone_) queue_.keep_to_first(alone);
  return alone_ = alone;
}

// The receiver learns how many will come before the first of them does.
void TcpSendComm::open_flows() {
  opened_ = first_.push({FrameType::flows, 0, 0, flows_ - 1, 0, 0});
  if (!opened_) return;
  queue_.expect_flows(flows_);
  for (unsigned number = 1; number < flows_; ++number) {
    auto connector = FlowConnector::start(device_, listener_, number, flows_,
                                          {first_.connection().local.ip, false});
    if (!connector.ok()) {
      log_info("goes on with one socket less: {}", connector.error().message());
      queue_.lose_flow();
      continue;
    }
    auto flow = std::make_unique<ExtraSendFlow>(std::move(*connector), queue_, first_failure_);
    IoThread* const thread = device_.io->next();
    if (thread != nullptr && thread->attach(*flow, flow->fd()).ok()) flow->thread = thread;
    extra_.push_back(std::move(flow));
  }
}

// Whether a thread is at work, or about to be.
bool TcpSendComm::call_flows() {
  std::array<IoTask*, kMaxFlows> idle;
  const std::size_t count = queue_.wanted(idle);
  bool awake = count == 0 && queue_.has_threads();
  for (IoTask* const driven : std::span(idle).first(count)) {
    auto* const flow = static_cast<ExtraSendFlow*>(driven);
    if (flow->thread == nullptr) continue;
    awake = awake || !flow->thread->asleep();
    flow->thread->kick(*flow);
  }
  return awake;
}

Result<TestResult> TcpSendComm::test(Request* request) {
  SendMessage* const message = queue_.window().find(request);
  if (message == nullptr)
    return Error(Code::invalid_argument, fmt::format("tested a request that is not in flight on {}",
                                                     first_.connection().text()));
  if (!message->done()) progress();
  if (message->done()) {
    const bool lost = message->lost.load(std::memory_order_relaxed);
    queue_.window().release(*message);
    return TestResult{true, std::nullopt, lost ? Lost::own : Lost::nothing};
  }
  if (failure_) return failure_of(*message);
  return TestResult{};
}

void TcpSendComm::progress() {
  if (failure_) return;
  first_.drive();
  for (const auto& flow : extra_)
    if (flow->thread == nullptr) flow->drive();
  if (watch_.due()) {
    look_for_silence(first_.connection().fd.get());
    for (const auto& flow : extra_) look_for_silence(flow->fd());
  }
  if (const Error* const why = first_failure_.get()) fail(*why);
}

void TcpSendComm::look_for_silence(int fd) {
  const unsigned silence_ms = device_.socket.peer_silence_ms;
  if (!peer_is_silent(fd, silence_ms)) return;
  const auto route = Route::of(fd, device_);
  first_failure_.set(
      Error(Code::peer, fmt::format("sending over {}: no answer for {} ms: the "
                                    "peer's machine, or the way to it, is gone, or the way loses "
                                    "packets of full size (is the MTU the same all along it?)",
                                    route.ok() ? route->text() : device_.name, silence_ms)));
}

// From now on no thread but the caller's touches the comm, or the buffers of its messages.
void TcpSendComm::let_go() {
  for (const auto& flow : extra_) {
    if (flow->thread == nullptr) continue;
    flow->thread->detach(*flow, flow->fd());  // may be reading `thread` until then
    flow->thread = nullptr;
  }
}

// All flows end with one: the peer must not wait for the rest of what this one had.
void TcpSendComm::fail(const Error& why) {
  let_go();
  const std::string said = read_abort(first_.connection());
  failure_ = said.empty()
                 ? why
                 : Error(Code::peer, fmt::format("sending over {}: the receiver gave up: {}",
                                                 first_.connection().text(), said));
  sockets::reset_connection(first_.connection().fd.get());
  for (const auto& flow : extra_) sockets::reset_connection(flow->fd());
}

Error TcpSendComm::failure_of(const SendMessage& message) const {
  const std::uint64_t left = message.left.load(std::memory_order_relaxed);
  return failure_->within(fmt::format(
      "{} of {} bytes sent", message.bytes - std::min(message.bytes, left), message.bytes));
}

}  // namespace hawser::tcp
