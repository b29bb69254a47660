#include "net/tcp/flow_listener.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "base/socket.h"
#include "net/tcp/data_socket.h"

namespace hawser::tcp {
namespace {

constexpr int kBacklog = 64;

// The greeting is shorter than any send buffer: a fresh socket takes it at once.
bool write_greeting(int fd, const Greeting& greeting) {
  return sockets::send_some(fd, greeting).bytes == greeting.size();
}

// Errors of accept(2) that say that none waits, or that the one which waited has gone.
bool listens_on(int err) {
  return err == EAGAIN || err == EWOULDBLOCK || err == EINTR || err == ECONNABORTED ||
         err == EPROTO || sockets::is_peer_error(err);
}

}  // namespace

Result<std::unique_ptr<FlowListener>> FlowListener::open(Device& device) {
  std::vector<UniqueFd> sockets;
  ListenerName name;
  for (const Path& path : device.paths) {
    HAWSER_ASSIGN(UniqueFd fd, open_data_socket(device.family(), device.socket));
    const int err = sockets::listen_on(fd, SocketAddress{path.address, 0}, kBacklog);
    if (err != 0)
      return system_error(err, fmt::format("listening on {}", path.address.text()))
          .within("device " + device.name);
    HAWSER_ASSIGN(SocketAddress address, sockets::local_address(fd.get()));
    name.addresses.push_back(address);
    sockets.push_back(std::move(fd));
  }
  HAWSER_ASSIGN(name.nonce, make_nonce());
  return std::unique_ptr<FlowListener>(new FlowListener(device, std::move(sockets), name));
}

FlowListener::FlowListener(Device& device, std::vector<UniqueFd> sockets, const ListenerName& name)
    : device_(device),
      sockets_(std::move(sockets)),
      nonce_(name.nonce),
      handle_(encode_handle(name)),
      text_(fmt::format("data listener {} on {}", name.addresses.front().text(), device.name)),
      awaited_(kMaxFlows) {
  candidates_.reserve(kMaxCandidates);
}

void FlowListener::await(unsigned first, unsigned count) {
  first_ = first;
  awaited_.assign(kMaxFlows, false);
  std::fill_n(awaited_.begin() + first, count, true);
  awaited_count_ = count;
}

Result<std::optional<FlowListener::AcceptedFlow>> FlowListener::next() {
  // Those that are here first: whoever has said its hello by now gives no place to newcomers.
  if (auto accepted = judge_all()) return accepted;
  HAWSER_TRY(admit());
  return judge_all();
}

std::optional<FlowListener::AcceptedFlow> FlowListener::judge_all() {
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
        auto accepted = welcome(i);
        if (accepted.ok()) return std::move(*accepted);
        drop(i, accepted.error().message());
        break;
      }
    }
  }
  return std::nullopt;
}

Status FlowListener::admit() {
  for (const UniqueFd& socket : sockets_)
    for (std::size_t i = 0; i < kMaxCandidates && has_place(); ++i) {
      SocketAddress from;
      UniqueFd fd = sockets::accept_one(socket.get(), &from);
      if (!fd.valid() && !listens_on(errno))
        return system_error(errno, "accepting a data connection").within(text_);
      if (!fd.valid()) break;
      admit(std::move(fd), from);
    }
  return {};
}

// The rest wait in the sockets' queues.
bool FlowListener::has_place() const {
  return candidates_.size() < kMaxCandidates ||
         candidates_.front().deadline.remaining() < kGreetingTimeout - kChance;
}

void FlowListener::admit(UniqueFd fd, const SocketAddress& from) {
  if (candidates_.size() == kMaxCandidates)
    drop(0, fmt::format("it was silent while {} others came", kMaxCandidates));
  Candidate candidate;
  candidate.fd = std::move(fd);
  candidate.from = from.text();
  candidate.deadline = Deadline::after(kGreetingTimeout);
  candidates_.push_back(std::move(candidate));
}

FlowListener::Verdict FlowListener::judge(Candidate& candidate, std::string& why) const {
  const sockets::Transfer got = sockets::receive_some(
      candidate.fd.get(), std::span(candidate.greeting).subspan(candidate.have));
  candidate.have += got.bytes;
  const Status known =
      check_greeting(std::span(candidate.greeting).first(candidate.have), FrameType::hello, nonce_);
  if (!known.ok()) {
    why = known.error().message();
  } else if (candidate.have == kGreetingBytes) {
    return Verdict::welcome;
  } else if (got.state == sockets::Transfer::State::closed ||
             got.state == sockets::Transfer::State::failed) {
    why = "it went before it said who it is";
  } else if (candidate.deadline.expired()) {
    why = fmt::format("it did not say who it is within {} ms", kGreetingTimeout.count());
  } else {
    return Verdict::waiting;
  }
  return Verdict::stray;
}

// Among a connection's further flows it is nothing to worry about: the peer may have ended the
// whole while some were being made.
void FlowListener::drop(std::size_t index, const std::string& why) {
  log_at(first_ == 0 ? LogLevel::warning : LogLevel::info, "{}: dropped a connection from {}: {}",
         text_, candidates_[index].from, why);
  candidates_.erase(candidates_.begin() + static_cast<std::ptrdiff_t>(index));
}

Result<FlowListener::AcceptedFlow> FlowListener::welcome(std::size_t index) {
  Candidate& candidate = candidates_[index];
  HAWSER_ASSIGN(const FrameHeader hello,
                decode_header(std::span(candidate.greeting).first<kHeaderBytes>()));
  if (!awaited_[hello.sequence])
    return Error(Code::protocol,
                 fmt::format("it is flow {}, which is not awaited", hello.sequence));
  AcceptedFlow accepted;
  accepted.flow = hello.sequence;
  accepted.flows = std::min(static_cast<unsigned>(hello.total), device_.flows);
  if (!write_greeting(candidate.fd.get(),
                      encode_greeting(FrameType::welcome, nonce_, accepted.flow, accepted.flows)))
    return Error(Code::peer, "it went before it was welcomed");
  HAWSER_ASSIGN(accepted.connection, Connection::of(std::move(candidate.fd), device_));
  awaited_[accepted.flow] = false;
  --awaited_count_;
  candidates_.erase(candidates_.begin() + static_cast<std::ptrdiff_t>(index));
  if (awaited_count_ == 0) candidates_.clear();
  return accepted;
}

}  // namespace hawser::tcp
