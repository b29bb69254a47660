#include "connecting.h"

#include <cerrno>
#include <cstring>

namespace emu {
namespace {

bool worth_retrying(int problem) {
  return problem == ECONNREFUSED || problem == ETIMEDOUT;
}

}  // namespace

Connecting::Connecting(Services services, CommInfo info, const void* buffer, const Address& from,
                       const Address& to, std::uint64_t nonce)
    : services_(services), info_(info), buffer_(buffer), from_(from), to_(to), nonce_(nonce) {}

int Connecting::problem(const char* what, int code) {
  services_.report.warn("channel %d: connect: %s", info_.channel, what);
  return code;
}

int Connecting::start() {
  socket_ = Socket::start_connect(from_, to_);
  if (socket_.usable()) {
    state_ = State::trying;
    return kSuccess;
  }
  if (errno == EBADF) return problem("descriptor 0 was closed", kInternalError);
  return worth_retrying(errno) ? kSuccess : problem(std::strerror(errno), kSystemError);
}

int Connecting::wait_for_connection() {
  const int result = socket_.connect_result();
  if (result == EINPROGRESS) return kSuccess;
  if (result == 0) {
    state_ = State::greeting;
    return kSuccess;
  }
  socket_.close();
  state_ = State::idle;
  return worth_retrying(result) ? kSuccess : problem(std::strerror(result), kSystemError);
}

bool Connecting::send_hello() {
  const FrameBytes hello =
      encode({FrameKind::hello, static_cast<std::uint32_t>(info_.channel), nonce_});
  if (hello_sent_ == hello.size()) return true;
  const Moved moved = socket_.send(hello.data() + hello_sent_, hello.size() - hello_sent_);
  hello_sent_ += moved.bytes;
  return !moved.ended;
}

int Connecting::greet() {
  if (!send_hello()) return problem("the peer closed before the hello", kSystemError);
  const FrameReader::State state = reader_.read(socket_);
  if (state == FrameReader::State::waiting) return kSuccess;
  if (state == FrameReader::State::ended)
    return problem("the peer closed without a welcome", kSystemError);
  const std::optional<Frame> frame = reader_.frame();
  if (frame && frame->kind == FrameKind::no_rule && frame->value == nonce_)
    return problem("the peer has no flow rule for it", kInternalError);
  if (!frame || frame->kind != FrameKind::welcome || frame->value != nonce_)
    return problem("the peer does not speak this protocol", kInternalError);
  state_ = State::connected;
  return kSuccess;
}

int Connecting::poll() {
  if (!std::exchange(polled_, true)) return start();
  switch (state_) {
    case State::idle:
      return start();
    case State::trying:
      return wait_for_connection();
    case State::greeting:
      return greet();
    case State::connected:
      break;
  }
  return kSuccess;
}

std::shared_ptr<Connecting> ConnectingTable::find(std::uint64_t nonce) const {
  const std::lock_guard lock(mutex_);
  const auto found = all_.find(nonce);
  return found == all_.end() ? nullptr : found->second;
}

bool ConnectingTable::put(std::uint64_t nonce, std::shared_ptr<Connecting> connecting) {
  const std::lock_guard lock(mutex_);
  return all_.emplace(nonce, std::move(connecting)).second;
}

}  // namespace emu
