#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/socket.h"
#include "support/threads.h"

namespace hawser::sockets {
namespace {

using test::eventually;
using test::kEventually;
using State = Transfer::State;

const SocketAddress kLoopback{IpAddress::parse("127.0.0.1").value(), 0};

UniqueFd listening(SocketAddress& at, const SocketAddress& on = kLoopback) {
  UniqueFd socket = open_socket(on.ip.family);
  EXPECT_EQ(listen_on(socket, on), 0);
  at = local_address(socket.get()).value();
  return socket;
}

struct Pair {
  UniqueFd near, far;
  SocketAddress from;  // near's, as far's listener heard it
};

Pair connected() {
  SocketAddress at;
  const UniqueFd listener = listening(at);
  Pair pair;
  EXPECT_EQ(connect_to(at, Deadline::after(kEventually), pair.near), 0);
  EXPECT_TRUE(eventually([&] {
    pair.far = accept_one(listener.get(), &pair.from);
    return pair.far.valid();
  }));
  return pair;
}

TEST(Socket, ConnectsAndBothEndsKnowEachOther) {
  const Pair pair = connected();
  EXPECT_EQ(local_address(pair.near.get()).value(), pair.from);
  EXPECT_EQ(remote_address(pair.far.get()).value(), pair.from);
  EXPECT_EQ(local_address(pair.far.get()).value(), remote_address(pair.near.get()).value());
}

TEST(Socket, AListenerOfBothFamiliesShowsAnIpv4CallerAsOne) {
  SocketAddress at;
  const UniqueFd probe = open_socket(IpFamily::ipv6);
  if (!probe.valid()) GTEST_SKIP() << "no IPv6 here";
  const UniqueFd listener = listening(at, {IpAddress::parse("::").value(), 0});
  UniqueFd near;
  ASSERT_EQ(connect_to({kLoopback.ip, at.port}, Deadline::after(kEventually), near), 0);
  SocketAddress from;
  ASSERT_TRUE(eventually([&] { return accept_one(listener.get(), &from).valid(); }));
  EXPECT_EQ(from.ip.text(), "127.0.0.1");
}

TEST(Socket, WithoutAListenerIsRefused) {
  SocketAddress at;
  listening(at).reset();
  UniqueFd socket;
  EXPECT_EQ(connect_to(at, Deadline::after(kEventually), socket), ECONNREFUSED);
}

TEST(Socket, AConnectionThatMeetsItselfIsRefused) {
  UniqueFd socket = open_socket(IpFamily::ipv4);
  SocketAddress own;
  listening(own).reset();  // a port that is free
  sockaddr_storage storage;
  const socklen_t bytes = own.fill(storage);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), bytes), 0);
  ASSERT_EQ(start_connect(socket.get(), own), 0);
  ASSERT_TRUE(wait_for(socket, POLLOUT, Deadline::after(kEventually)));
  EXPECT_EQ(connect_outcome(socket.get()), ECONNREFUSED);
}

TEST(Socket, NobodyWaitsAtAQuietListener) {
  SocketAddress at;
  const UniqueFd listener = listening(at);
  EXPECT_FALSE(accept_one(listener.get()).valid());
  EXPECT_EQ(errno, EAGAIN);
}

TEST(Socket, MovesBytesOfOneAndOfSeveralParts) {
  const Pair pair = connected();
  char hello[] = "hel", world[] = "lo";
  std::array<iovec, 2> out{iovec{hello, 3}, iovec{world, 2}};
  const Transfer sent = send_some(pair.near.get(), std::span(out));
  EXPECT_EQ(sent.state, State::some);
  EXPECT_EQ(sent.bytes, 5u);
  ASSERT_TRUE(wait_for(pair.far, POLLIN, Deadline::after(kEventually)));
  char first[2], rest[8];
  std::array<iovec, 2> in{iovec{first, 2}, iovec{rest, 8}};
  EXPECT_EQ(receive_some(pair.far.get(), std::span(in)).bytes, 5u);
  EXPECT_EQ(std::memcmp(first, "he", 2), 0);
  EXPECT_EQ(std::memcmp(rest, "llo", 3), 0);
  std::array<std::byte, 1> none;
  EXPECT_EQ(receive_some(pair.far.get(), none).state, State::would_block);
}

TEST(Socket, TellsAPeerThatClosedFromOneThatBroke) {
  Pair pair = connected();
  pair.near.reset();
  std::array<std::byte, 1> byte{};
  ASSERT_TRUE(wait_for(pair.far, POLLIN, Deadline::after(kEventually)));
  EXPECT_EQ(receive_some(pair.far.get(), byte).state, State::closed);
  Transfer sent;
  EXPECT_TRUE(eventually([&] {
    sent = send_some(pair.far.get(), byte);
    return sent.state == State::closed;
  }));
  EXPECT_EQ(sent.err, EPIPE);

  Pair broken = connected();
  reset_connection(broken.near.get());
  ASSERT_TRUE(wait_for(broken.far, POLLIN, Deadline::after(kEventually)));
  const Transfer got = receive_some(broken.far.get(), byte);
  EXPECT_EQ(got.state, State::failed);
  EXPECT_EQ(io_error(got.err, "reading").code(), Code::peer);
  EXPECT_EQ(io_error(EMFILE, "reading").code(), Code::system);
}

}  // namespace
}  // namespace hawser::sockets
