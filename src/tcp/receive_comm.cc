#include "tcp/receive_comm.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/log.h"

namespace hawser::tcp {
namespace {

// Reads per call of progress(), so that a fast sender cannot keep the caller here.
constexpr int kMaxRounds = 4;

}  // namespace

TcpReceiveComm::TcpReceiveComm(Connection connection) : connection_(std::move(connection)) {}

TcpReceiveComm::~TcpReceiveComm() {
  if (window_.in_flight() > 0 && !failure_)
    log_warning("closing {} with {} receives in flight", connection_.text(), window_.in_flight());
}

Result<Registration*> TcpReceiveComm::register_memory(const MemoryRange& range) {
  return connection_.device->registrations.add(range);
}

Status TcpReceiveComm::deregister(Registration* registration) {
  return connection_.device->registrations.remove(registration);
}

Result<Request*> TcpReceiveComm::try_receive(void* data, std::size_t bytes, int,
                                             Registration* registration) {
  if (failure_) return *failure_;
  HAWSER_TRY(check_post(registration, data, bytes));
  Message* const message = window_.push();
  if (message == nullptr)
    return Error(Code::internal, fmt::format("window exceeded: {} receives are in flight on {}",
                                             kMaxRequests, connection_.text()));
  message->data = static_cast<std::byte*>(data);
  message->capacity = bytes;
  return message;
}

Result<TestResult> TcpReceiveComm::test(Request* request) {
  Message* const message = window_.find(request);
  if (message == nullptr)
    return Error(Code::invalid_argument,
                 fmt::format("tested a request that is not in flight on {}", connection_.text()));
  if (!window_.finished(*message)) progress();
  if (window_.finished(*message)) {
    const TestResult result{true, message->received};
    window_.release(*message);
    return result;
  }
  if (failure_) return failure_of(*message);
  return TestResult{};
}

void TcpReceiveComm::progress() {
  if (failure_) return;
  consume_stage();
  for (int round = 0; round < kMaxRounds && window_.unfinished() > 0 && !failure_; ++round) {
    const IoResult result = read_round();
    if (result.state == IoResult::State::would_block) return;
    if (result.state != IoResult::State::moved) return stop(result);
    account(result.bytes);
    consume_stage();
  }
}

void TcpReceiveComm::consume_stage() {
  if (const Status parsed = parse_stage(); !parsed.ok()) give_up(parsed.error());
}

// Takes whole headers, and the payload behind them, out of the stage.
Status TcpReceiveComm::parse_stage() {
  while (window_.unfinished() > 0) {
    Message& message = window_.unfinished(0);
    if (!message.announced) {
      if (stage_.size() < kFrameBytes) return {};
      HAWSER_TRY(read_header(message));
    }
    message.received += stage_.take(message.data + message.received, message.left());
    if (message.left() > 0) return {};
    window_.finish_oldest();
  }
  return {};
}

Status TcpReceiveComm::read_header(Message& message) {
  HAWSER_ASSIGN(const FrameHeader header,
                decode_frame(std::span<const std::byte, kFrameBytes>(stage_.data(), kFrameBytes)));
  if (header.type != FrameType::message)
    return Error(Code::protocol, fmt::format("a frame of type {} where a message was due",
                                             static_cast<unsigned>(header.type)));
  if (header.bytes > message.capacity)
    return Error(Code::protocol,
                 fmt::format("the sender's message (tag {}) has {} bytes, the receive posted for "
                             "it only {}: post at least as much as is sent",
                             header.tag, header.bytes, message.capacity));
  stage_.drop(kFrameBytes);
  message.bytes = header.bytes;
  message.announced = true;
  return {};
}

// The rest of the oldest message goes straight to its buffer, what follows it to the stage, which
// holds no payload at this point.
IoResult TcpReceiveComm::read_round() {
  const Message& message = window_.unfinished(0);
  std::array<iovec, 2> parts{iovec{message.data + message.received, message.left()}, stage_.room()};
  if (message.left() == 0) return read_some(connection_.fd.get(), std::span(parts).last(1));
  return read_some(connection_.fd.get(), parts);
}

void TcpReceiveComm::account(std::size_t got) {
  Message& message = window_.unfinished(0);
  const std::size_t direct = std::min(got, message.left());
  message.received += direct;
  stage_.filled(got - direct);
}

void TcpReceiveComm::stop(const IoResult& result) {
  const std::string doing = fmt::format("receiving over {}", connection_.text());
  failure_ = result.state == IoResult::State::closed
                 ? Error(Code::peer, doing + ": the sender closed the connection")
                 : io_error(result.error, doing);
  connection_.fd.reset();
}

// The stream cannot be trusted any more: tells the sender, and closes.
void TcpReceiveComm::give_up(const Error& why) {
  send_abort(connection_, why.message());
  failure_ = why.within(fmt::format("receiving over {}", connection_.text()));
  connection_.fd.reset();
}

Error TcpReceiveComm::failure_of(const Message& message) const {
  if (!message.announced) return failure_->within("no byte of this message came");
  return failure_->within(fmt::format("{} of {} bytes received", message.received, message.bytes));
}

}  // namespace hawser::tcp
