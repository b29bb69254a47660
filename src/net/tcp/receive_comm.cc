#include "net/tcp/receive_comm.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.h"
#include "base/socket.h"
#include "base/without_memory.h"

namespace hawser::tcp {

TcpReceiveComm::TcpReceiveComm(Connection first, std::unique_ptr<FlowListener> flow_listener,
                               FurtherSockets::Grant grant)
    : device_(*first.device),
      grant_(std::move(grant)),
      first_(std::move(first), board_, first_failure_, ReceiveFlow::Role::first),
      flow_listener_(std::move(flow_listener)),
      watch_(device_.socket.peer_silence_ms) {}

TcpReceiveComm::~TcpReceiveComm() {
  let_go();
  if (const std::size_t left = board_.window().in_flight(); left > 0 && !failure_)
    unless_out_of_memory([&] {
      log_info("closing {} with {} receives in flight", first_.connection().text(), left);
    });
}

Result<Registration*> TcpReceiveComm::register_memory(const MemoryRange& range) {
  return device_.registrations.add(range);
}

Status TcpReceiveComm::deregister(Registration* registration) {
  return device_.registrations.remove(registration);
}

Result<Request*> TcpReceiveComm::try_receive(void* data, std::size_t bytes, int,
                                             Registration* registration) {
  if (failure_) return *failure_;
  HAWSER_TRY(check_post(registration, data, bytes));
  if (board_.window().in_flight() == kMaxRequests)
    return Error(Code::internal, fmt::format("window exceeded: {} receives are in flight on {}",
                                             kMaxRequests, first_.connection().text()));
  ReceiveMessage* const message = board_.post(data, bytes, may_vanish(registration));
  looks_at_gap_ = 0;
  if (message == nullptr || extra_.empty()) return message;
  std::array<IoTask*, kMaxFlows> arrived;
  for (IoTask* const driven : std::span(arrived).first(board_.arrived(arrived)))
    if (auto* const flow = static_cast<ReceiveFlow*>(driven); flow->thread != nullptr)
      flow->thread->kick(*flow);
  return message;
}

Result<TestResult> TcpReceiveComm::test(Request* request) {
  ReceiveMessage* const message = board_.window().find(request);
  if (message == nullptr)
    return Error(Code::invalid_argument, fmt::format("tested a request that is not in flight on {}",
                                                     first_.connection().text()));
  if (!message->done()) progress();
  if (message->done()) {
    const TestResult result{true, message->total, message->lost};
    board_.window().release(*message);
    return result;
  }
  if (failure_) return failure_->within(board_.state_of(*message));
  return TestResult{};
}

void TcpReceiveComm::progress() {
  if (failure_) return;
  first_.drive();
  for (const auto& flow : extra_)
    if (flow->thread == nullptr) flow->drive();
  if (flow_listener_ != nullptr)
    if (const Status admitted = admit_flows(); !admitted.ok()) first_failure_.set(admitted.error());
  notice_ends();
  notice_gaps();
  if (const Error* const why = first_failure_.get()) fail(*why);
}

// Those that do not come are not needed.
Status TcpReceiveComm::admit_flows() {
  if (const unsigned announced = first_.take_announced_flows(); announced > 0) {
    if (announced >= grant_.flows || admitting_until_)
      return Error(Code::protocol,
                   fmt::format("the sender announces {} further sockets", announced));
    flow_listener_->await(1, announced);
    admitting_until_ = Deadline::after(FlowListener::kGreetingTimeout);
  }
  if (!admitting_until_) return {};
  while (flow_listener_->awaited() > 0) {
    auto accepted = flow_listener_->next();
    if (!accepted.ok()) log_info("goes on with fewer sockets: {}", accepted.error().message());
    if (!accepted.ok() || !*accepted) break;
    admit(std::move((*accepted)->connection));
  }
  if (flow_listener_->awaited() == 0 || admitting_until_->expired()) flow_listener_.reset();
  return {};
}

void TcpReceiveComm::admit(Connection connection) {
  IoThread* const thread = device_.io->next();
  auto flow = std::make_unique<ReceiveFlow>(
      std::move(connection), board_, first_failure_,
      thread != nullptr ? ReceiveFlow::Role::threaded : ReceiveFlow::Role::polled);
  if (thread != nullptr) {
    board_.share();
    const Status attached = thread->attach(*flow, flow->fd());
    if (!attached.ok()) first_failure_.set(attached.error());
    if (attached.ok()) flow->thread = thread;
  }
  extra_.push_back(std::move(flow));
}

// A sender closes all flows at once; what it sent before may be under way on some.
void TcpReceiveComm::notice_ends() {
  const auto ended = [](const auto& flow) { return flow->ended(); };
  const auto count = std::count_if(extra_.begin(), extra_.end(), ended) + (first_.ended() ? 1 : 0);
  if (count == 0) return;
  if (!stragglers_until_) stragglers_until_ = Deadline::after(kStragglers);
  if (count == static_cast<std::ptrdiff_t>(extra_.size()) + 1 || stragglers_until_->expired())
    first_failure_.set(Error(Code::peer, fmt::format("receiving over {}: the sender closed the "
                                                     "connection",
                                                     first_.connection().text())));
}

// What is awaited can come over none of the flows: each has ended, or is at a later message. A flow
// of another thread may just have been told of a receive: that is known at the next look but one.
void TcpReceiveComm::notice_gaps() {
  if (!first_.parked() || board_.awaited() == 0 || (!extra_.empty() && !watch_.due())) return;
  const auto halted = [](const auto& flow) { return flow->parked() || flow->ended(); };
  if (!std::all_of(extra_.begin(), extra_.end(), halted))
    looks_at_gap_ = 0;
  else if (extra_.empty() || ++looks_at_gap_ == kLooksAtGap)
    first_failure_.set(Error(Code::protocol, "the sender has left a message out"));
}

// From now on no thread but the caller's touches the comm, or the buffers of its messages.
void TcpReceiveComm::let_go() {
  for (const auto& flow : extra_) {
    if (flow->thread == nullptr) continue;
    flow->thread->detach(*flow, flow->fd());  // may be reading `thread` until then
    flow->thread = nullptr;
  }
}

// All flows end with one. Where the stream cannot be trusted any more the sender is told why.
void TcpReceiveComm::fail(const Error& why) {
  let_go();
  failure_ = why;
  if (why.code() == Code::protocol) send_abort(first_.connection(), why.message());
  sockets::reset_connection(first_.fd());
  for (const auto& flow : extra_) sockets::reset_connection(flow->fd());
}

}  // namespace hawser::tcp
