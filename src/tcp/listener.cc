#include "tcp/listener.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "tcp/connection.h"
#include "tcp/handle.h"
#include "tcp/receive_comm.h"
#include "tcp/socket.h"

namespace hawser::tcp {
namespace {

constexpr int kBacklog = 64;

bool begins_like(const Greeting& given, std::size_t have, const Greeting& expected) {
  return std::equal(given.begin(), given.begin() + static_cast<std::ptrdiff_t>(have),
                    expected.begin());
}

// Why a greeting that is not the expected one is not.
std::string describe_stray(const Greeting& given, std::size_t have) {
  if (have < kFrameBytes) return "it does not speak hawser's data protocol";
  const auto header = decode_frame(std::span(given).first<kFrameBytes>());
  if (!header.ok()) return header.error().message();
  return "it does not know this listener's nonce";
}

// The greeting is shorter than any send buffer: a fresh socket takes it at once.
bool write_greeting(int fd, Greeting greeting) {
  iovec whole{greeting.data(), greeting.size()};
  return write_some(fd, {&whole, 1}).bytes == greeting.size();
}

}  // namespace

Result<std::unique_ptr<TcpListener>> TcpListener::open(Device& device) {
  HAWSER_ASSIGN(UniqueFd fd, open_socket(device.address.family, device.socket_buffer_bytes));
  const Status listening = listen_on(fd.get(), SocketAddress{device.address, 0}, kBacklog);
  if (!listening.ok()) return listening.error().within("device " + device.name);
  HAWSER_ASSIGN(const SocketAddress address, local_address(fd.get()));
  HAWSER_ASSIGN(const Nonce nonce, make_nonce());
  return std::unique_ptr<TcpListener>(new TcpListener(device, std::move(fd), address, nonce));
}

TcpListener::TcpListener(Device& device, UniqueFd fd, const SocketAddress& address,
                         const Nonce& nonce)
    : device_(device),
      fd_(std::move(fd)),
      text_(fmt::format("data listener {} on {}", address.text(), device.name)),
      nonce_(nonce),
      expected_(encode_greeting(FrameType::hello, nonce)),
      handle_(encode_handle({address, nonce})) {
  candidates_.reserve(kMaxCandidates);
}

Result<std::unique_ptr<ReceiveComm>> TcpListener::try_accept() {
  if (!fd_.valid()) return Error(Code::invalid_argument, text_ + ": it has served its one accept");
  // Those that are here first: whoever has said its hello by now gives no place to newcomers.
  if (auto comm = judge_all()) return comm;
  HAWSER_TRY(admit());
  return judge_all();
}

std::unique_ptr<ReceiveComm> TcpListener::judge_all() {
  for (std::size_t i = 0; i < candidates_.size();) {
    std::string why;
    switch (judge(candidates_[i], why)) {
      case Verdict::waiting:
        ++i;
        break;
      case Verdict::stray:
        drop(i, why);
        break;
      case Verdict::welcome: {
        auto comm = welcome(i);
        if (comm.ok()) return std::move(*comm);
        drop(i, comm.error().message());
        break;
      }
    }
  }
  return nullptr;
}

Status TcpListener::admit() {
  for (std::size_t i = 0; i < kMaxCandidates && has_place(); ++i) {
    auto fd = accept_one(fd_.get());
    if (!fd.ok()) return fd.error().within(text_);
    if (!fd->valid()) return {};
    admit(std::move(*fd));
  }
  return {};
}

// The rest wait in the socket's queue.
bool TcpListener::has_place() const {
  return candidates_.size() < kMaxCandidates ||
         candidates_.front().deadline.remaining() < kGreetingTimeout - kChance;
}

void TcpListener::admit(UniqueFd fd) {
  if (candidates_.size() == kMaxCandidates)
    drop(0, fmt::format("it was silent while {} others came", kMaxCandidates));
  const auto from = remote_address(fd.get());
  Candidate candidate;
  candidate.fd = std::move(fd);
  candidate.from = from.ok() ? from->text() : "a peer that has gone";
  candidate.deadline = Deadline::after(kGreetingTimeout);
  candidates_.push_back(std::move(candidate));
}

TcpListener::Verdict TcpListener::judge(Candidate& candidate, std::string& why) const {
  iovec rest{candidate.greeting.data() + candidate.have, kGreetingBytes - candidate.have};
  const IoResult got = read_some(candidate.fd.get(), {&rest, 1});
  candidate.have += got.bytes;
  if (!begins_like(candidate.greeting, candidate.have, expected_)) {
    why = describe_stray(candidate.greeting, candidate.have);
  } else if (candidate.have == kGreetingBytes) {
    return Verdict::welcome;
  } else if (got.state == IoResult::State::closed || got.state == IoResult::State::failed) {
    why = "it went before it said who it is";
  } else if (candidate.deadline.expired()) {
    why = fmt::format("it did not say who it is within {} ms", kGreetingTimeout.count());
  } else {
    return Verdict::waiting;
  }
  return Verdict::stray;
}

void TcpListener::drop(std::size_t index, const std::string& why) {
  log_warning("{}: dropped a connection from {}: {}", text_, candidates_[index].from, why);
  candidates_.erase(candidates_.begin() + static_cast<std::ptrdiff_t>(index));
}

Result<std::unique_ptr<ReceiveComm>> TcpListener::welcome(std::size_t index) {
  UniqueFd& fd = candidates_[index].fd;
  if (!write_greeting(fd.get(), encode_greeting(FrameType::welcome, nonce_)))
    return Error(Code::peer, "it went before it was welcomed");
  HAWSER_ASSIGN(Connection connection, Connection::of(std::move(fd), device_));
  fd_.reset();
  candidates_.clear();
  return std::unique_ptr<ReceiveComm>(std::make_unique<TcpReceiveComm>(std::move(connection)));
}

}  // namespace hawser::tcp
