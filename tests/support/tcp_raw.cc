#include "support/tcp_raw.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>

#include "support/guarded_buffer.h"
#include "support/net_pair.h"
#include "support/ports.h"

namespace hawser::test {
namespace {

constexpr int kPatienceMs = 20000;

bool readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, kPatienceMs) == 1;
}

}  // namespace

Bytes frame(const tcp::FrameHeader& header, std::span<const std::byte> data) {
  const tcp::HeaderBytes head = tcp::encode_header(header);
  const bool whole = data.size() == header.bytes;
  Bytes all(whole ? tcp::frame_bytes(header.bytes) : head.size() + data.size());
  std::copy(data.begin(), data.end(), std::copy(head.begin(), head.end(), all.begin()));
  return all;
}

Bytes piece(std::uint32_t sequence, std::uint64_t total, std::uint64_t offset, std::uint64_t bytes,
            std::uint64_t seed) {
  Bytes data(bytes);
  for (std::size_t i = 0; i < bytes; ++i) data[i] = pattern_byte(seed, offset + i);
  return frame({tcp::FrameType::piece, 0, sequence, total, offset, bytes}, data);
}

Bytes whole_message(std::uint32_t sequence, std::uint64_t bytes, std::uint64_t seed) {
  return piece(sequence, bytes, 0, bytes, seed);
}

bool say(const UniqueFd& fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

bool hear(const UniqueFd& fd, std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    if (!readable(fd.get())) return false;
    const ssize_t got = ::recv(fd.get(), bytes.data(), bytes.size(), 0);
    if (got <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

std::size_t waiting_bytes(const UniqueFd& fd) {
  int bytes = 0;
  EXPECT_EQ(::ioctl(fd.get(), FIONREAD, &bytes), 0);
  return static_cast<std::size_t>(bytes);
}

bool has_ended(const UniqueFd& fd) {
  pollfd waiting{fd.get(), POLLIN | POLLRDHUP, 0};
  return ::poll(&waiting, 1, 0) == 1 && (waiting.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

RawSender::RawSender(const Handle& handle) {
  auto name = tcp::decode_handle(handle);
  EXPECT_TRUE(name.ok());
  if (name.ok()) name_ = std::move(*name);
}

UniqueFd RawSender::knock() const {
  return connect_to_loopback(name_.addresses.at(0).port);
}

UniqueFd RawSender::hello(unsigned flow, unsigned flows) const {
  UniqueFd fd = knock();
  EXPECT_TRUE(say(fd, tcp::encode_greeting(tcp::FrameType::hello, name_.nonce, flow, flows)));
  return fd;
}

bool RawSender::welcomed(const UniqueFd& fd, unsigned flow) const {
  tcp::Greeting got;
  if (!hear(fd, got)) return false;
  const auto header = tcp::decode_header(std::span(got).first<tcp::kHeaderBytes>());
  return header.ok() && header->type == tcp::FrameType::welcome && header->sequence == flow;
}

RawReceiver::RawReceiver() : listening_(listen_on_loopback(0)) {
  SocketAddress address{IpAddress::parse("127.0.0.1").value(),
                        static_cast<std::uint16_t>(bound_port(listening_))};
  name_.addresses.push_back(address);
  name_.nonce.fill(std::byte{0x5c});
}

UniqueFd RawReceiver::accept() const {
  if (!readable(listening_.get())) return UniqueFd();
  return UniqueFd(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

bool RawReceiver::greeted(const UniqueFd& fd, unsigned flow) const {
  tcp::Greeting got;
  if (!hear(fd, got)) return false;
  const auto header = tcp::decode_header(std::span(got).first<tcp::kHeaderBytes>());
  return tcp::check_greeting(got, tcp::FrameType::hello, name_.nonce).ok() && header.ok() &&
         header->sequence == flow;
}

void RawReceiver::welcome(const UniqueFd& fd, unsigned flow, unsigned flows) const {
  EXPECT_TRUE(say(fd, tcp::encode_greeting(tcp::FrameType::welcome, name_.nonce, flow, flows)));
}

std::unique_ptr<ReceiveComm> receive_from(const RawSender& raw, Listener& listener, unsigned flows,
                                          UniqueFd& first) {
  first = raw.hello(0, flows);
  auto comm = wait_accepted(listener, Deadline::after(kPairPatience));
  EXPECT_TRUE(comm.ok()) << comm.error().message();
  EXPECT_TRUE(raw.welcomed(first, 0));
  return comm.ok() ? std::move(*comm) : nullptr;
}

std::unique_ptr<SendComm> send_to(const RawReceiver& raw, Net& net, unsigned flows,
                                  UniqueFd& first) {
  const auto connector = net.connect(0, raw.handle());
  EXPECT_TRUE(connector.ok()) << connector.error().message();
  if (!connector.ok()) return nullptr;
  first = raw.accept();
  EXPECT_TRUE((*connector)->try_connect().ok());  // says hello
  EXPECT_TRUE(raw.greeted(first, 0));
  raw.welcome(first, 0, flows);
  auto comm = wait_connected(**connector, Deadline::after(kPairPatience));
  EXPECT_TRUE(comm.ok()) << comm.error().message();
  return comm.ok() ? std::move(*comm) : nullptr;
}

}  // namespace hawser::test
