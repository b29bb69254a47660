#include "micro/tcp_pair.h"

#include "base/wait.h"
#include "memory/pattern.h"
#include "net/tcp/tcp_net.h"

namespace hawser::bench {
namespace {

constexpr int kDevice = 0;

struct Ends {
  std::unique_ptr<SendComm> sender;
  std::unique_ptr<ReceiveComm> receiver;
};

Result<Ends> connect(Net& net) {
  HAWSER_ASSIGN(const auto listener, net.listen(kDevice));
  HAWSER_ASSIGN(const auto connector, net.connect(kDevice, listener->handle()));
  Ends ends;
  const auto step = [&]() -> Result<bool> {
    if (!ends.sender) {
      HAWSER_ASSIGN(ends.sender, connector->try_connect());
    }
    if (!ends.receiver) {
      HAWSER_ASSIGN(ends.receiver, listener->try_accept());
    }
    return ends.sender && ends.receiver;
  };
  const WaitBound bound{Deadline::after(TcpPair::kPatience), {}};
  HAWSER_TRY(wait_until(step, bound, "connecting over loopback"));
  return ends;
}

Result<Buffer> written_buffer(std::size_t bytes) {
  HAWSER_ASSIGN(Buffer buffer, Buffer::host(bytes));
  HAWSER_TRY(write_pattern({}, buffer, bytes));
  return buffer;
}

}  // namespace

Result<std::unique_ptr<Net>> make_loopback_net() {
  TcpOptions options;
  options.interfaces.names = "=lo";
  options.interfaces.family = FamilyChoice::ipv4;
  return make_tcp_net(options);
}

Result<std::unique_ptr<TcpPair>> TcpPair::make(Net& net, std::size_t buffer_bytes) {
  HAWSER_ASSIGN(Ends ends, connect(net));
  HAWSER_ASSIGN(Buffer out, written_buffer(buffer_bytes));
  HAWSER_ASSIGN(Buffer in, written_buffer(buffer_bytes));
  std::unique_ptr<TcpPair> pair(
      new TcpPair(std::move(ends.sender), std::move(ends.receiver), std::move(out), std::move(in)));
  HAWSER_TRY(pair->register_both());
  return pair;
}

TcpPair::TcpPair(std::unique_ptr<SendComm> sender, std::unique_ptr<ReceiveComm> receiver,
                 Buffer out, Buffer in)
    : sender_(std::move(sender)),
      receiver_(std::move(receiver)),
      out_(std::move(out)),
      in_(std::move(in)) {}

// A failed deregistration is in the Net's log; there is nobody else to tell.
TcpPair::~TcpPair() {
  if (out_registration_ != nullptr) (void)sender_->deregister(out_registration_);
  if (in_registration_ != nullptr) (void)receiver_->deregister(in_registration_);
}

Status TcpPair::register_both() {
  HAWSER_ASSIGN(out_registration_, sender_->register_memory(out_.range()));
  HAWSER_ASSIGN(in_registration_, receiver_->register_memory(in_.range()));
  return {};
}

Result<bool> TcpPair::done(Comm& comm, Request* request) {
  HAWSER_ASSIGN(const TestResult result, comm.test(request));
  return result.done;
}

Status TcpPair::move_one(std::size_t bytes) {
  Patience patience;
  Request* receive = nullptr;
  Request* send = nullptr;
  bool arrived = false;
  bool gone = false;
  while (!arrived || !gone) {
    if (receive == nullptr) {
      HAWSER_ASSIGN(receive, post_receive(0, bytes));
    }
    if (send == nullptr) {
      HAWSER_ASSIGN(send, post_send(0, bytes));
    }
    if (send != nullptr && !gone) {
      HAWSER_ASSIGN(gone, sent(send));
    }
    if (receive != nullptr && !arrived) {
      HAWSER_ASSIGN(arrived, received(receive));
    }
    HAWSER_TRY(patience.after_idle_poll());
  }
  return {};
}

}  // namespace hawser::bench
