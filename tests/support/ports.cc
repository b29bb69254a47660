#include "support/ports.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <random>

namespace hawser::test {
namespace {

constexpr int kFirst = 10240;
constexpr int kBlocks = (32768 - kFirst) / PortRange::kCount;
constexpr int kMaxTries = 1000;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

const sockaddr* generic(const void* address) {
  return static_cast<const sockaddr*>(address);
}

// A name in the abstract namespace: the kernel lets go of it when the process ends, however.
UniqueFd claim_block(int block) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = fmt::format("hawser-test-ports-{}", block);
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (bind(socket.get(), generic(&address), length) != 0) socket.reset();
  return socket;
}

bool port_is_free(int port) {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(port);
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  return bind(socket.get(), generic(&address), sizeof address) == 0;
}

bool all_free(int base) {
  for (int port = base; port < base + PortRange::kCount; ++port)
    if (!port_is_free(port)) return false;
  return true;
}

}  // namespace

PortRange::PortRange() {
  std::random_device entropy;
  std::uniform_int_distribution<int> pick(0, kBlocks - 1);
  for (int attempt = 0; attempt < kMaxTries; ++attempt) {
    const int block = pick(entropy);
    claim_ = claim_block(block);
    base_ = kFirst + block * kCount;
    if (claim_.valid() && all_free(base_)) return;
  }
  ADD_FAILURE() << "no " << kCount << " free ports in a row";
}

UniqueFd listen_on_loopback(int port) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  if (bind(socket.get(), generic(&address), sizeof address) != 0 || listen(socket.get(), 16) != 0)
    socket.reset();
  return socket;
}

int bound_port(const UniqueFd& socket) {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  getsockname(socket.get(), static_cast<sockaddr*>(static_cast<void*>(&address)), &length);
  return ntohs(address.sin_port);
}

UniqueFd connect_to_loopback(int port) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  if (connect(socket.get(), generic(&address), sizeof address) != 0) socket.reset();
  return socket;
}

bool ipv6_is_there() {
  const UniqueFd socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  return bind(socket.get(), generic(&address), sizeof address) == 0;
}

bool localhost_is_known() {
  addrinfo* found = nullptr;
  if (getaddrinfo("localhost", nullptr, nullptr, &found) != 0) return false;
  freeaddrinfo(found);
  return true;
}

}  // namespace hawser::test
