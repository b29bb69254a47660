#include "tcp/send_comm.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/log.h"

namespace hawser::tcp {
namespace {

// Writes per call of progress(): more only if the socket takes all of it each time.
constexpr int kMaxRounds = 4;

// The parts of one write: header and payload of each message.
class PartList {
 public:
  void add(const std::byte* data, std::size_t bytes) {
    if (bytes > 0) parts_[count_++] = {const_cast<std::byte*>(data), bytes};
  }
  std::span<iovec> span() { return std::span(parts_).first(count_); }

 private:
  std::array<iovec, 2 * kMaxRequests> parts_;  // well below IOV_MAX, 1024
  std::size_t count_ = 0;
};

}  // namespace

TcpSendComm::TcpSendComm(Connection connection) : connection_(std::move(connection)) {}

TcpSendComm::~TcpSendComm() {
  if (window_.in_flight() > 0 && !failure_)
    log_warning("closing {} with {} sends in flight", connection_.text(), window_.in_flight());
}

Result<Registration*> TcpSendComm::register_memory(const MemoryRange& range) {
  return connection_.device->registrations.add(range);
}

Status TcpSendComm::deregister(Registration* registration) {
  return connection_.device->registrations.remove(registration);
}

Result<Request*> TcpSendComm::try_send(const void* data, std::size_t bytes, int tag,
                                       Registration* registration) {
  if (failure_) return *failure_;
  HAWSER_TRY(check_post(registration, data, bytes));
  Message* const message = window_.push();
  if (message == nullptr)
    return Error(Code::internal, fmt::format("window exceeded: {} sends are in flight on {}",
                                             kMaxRequests, connection_.text()));
  message->header = encode_frame({FrameType::message, static_cast<std::uint32_t>(tag), bytes});
  message->data = static_cast<const std::byte*>(data);
  message->bytes = bytes;
  // Behind others it waits for a test(): the socket was full when they were last tried.
  if (window_.unfinished() == 1) progress();
  return message;
}

Result<TestResult> TcpSendComm::test(Request* request) {
  Message* const message = window_.find(request);
  if (message == nullptr)
    return Error(Code::invalid_argument,
                 fmt::format("tested a request that is not in flight on {}", connection_.text()));
  if (!window_.finished(*message)) progress();
  if (window_.finished(*message)) {
    window_.release(*message);
    return TestResult{true, std::nullopt};
  }
  if (failure_) return failure_of(*message);
  return TestResult{};
}

void TcpSendComm::progress() {
  for (int round = 0; round < kMaxRounds && window_.unfinished() > 0 && !failure_; ++round) {
    const IoResult result = write_round();
    if (result.state == IoResult::State::would_block) return;
    if (result.state == IoResult::State::moved)
      account(result.bytes);
    else
      fail(result);
  }
}

IoResult TcpSendComm::write_round() {
  PartList parts;
  for (std::size_t i = 0; i < window_.unfinished(); ++i) {
    const Message& message = window_.unfinished(i);
    const std::size_t header_done = std::min(message.written, kFrameBytes);
    const std::size_t data_done = message.written - header_done;
    parts.add(message.header.data() + header_done, kFrameBytes - header_done);
    parts.add(message.data + data_done, message.bytes - data_done);
  }
  return write_some(connection_.fd.get(), parts.span());
}

void TcpSendComm::account(std::size_t written) {
  while (written > 0) {
    Message& message = window_.unfinished(0);
    const std::size_t step = std::min(written, message.left());
    message.written += step;
    written -= step;
    if (message.left() == 0) window_.finish_oldest();
  }
}

void TcpSendComm::fail(const IoResult& result) {
  const std::string said = read_abort(connection_);
  const std::string doing = fmt::format("sending over {}", connection_.text());
  failure_ = said.empty()
                 ? io_error(result.error, doing)
                 : Error(Code::peer, fmt::format("{}: the receiver gave up: {}", doing, said));
  connection_.fd.reset();
}

Error TcpSendComm::failure_of(const Message& message) const {
  const std::size_t payload = message.written - std::min(message.written, kFrameBytes);
  return failure_->within(fmt::format("{} of {} bytes sent", payload, message.bytes));
}

}  // namespace hawser::tcp
