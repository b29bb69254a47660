// Sockets of the control plane: addresses, options, and how a peer's end is put into words.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace hawser::sockets {

inline constexpr std::size_t kMaxAddresses = 16;  // of one host name
inline constexpr int kLongestPollMs =
    1000;  // of one call of poll(2); then the deadline is looked at

// An address and port; a value.
struct Address {
  sockaddr_storage storage{};
  socklen_t bytes = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  std::string text() const;  // "192.0.2.7:20000", "[fd00::2]:20000"
};

enum class Use { listen, connect };

// The addresses of a name or a numeric address ("[::1]" too), at most kMaxAddresses. A name may
// take as long as the machine's resolver lets it. Code::invalid_argument: there is no such name;
// Code::unavailable: the resolver does not know now.
Result<std::vector<Address>> resolve(const std::string& host, std::uint16_t port, Use use);

// "192.0.2.7:20000", or "[fd00::2]:20000" for a host that has colons in it.
std::string host_and_port(const std::string& host, std::uint16_t port);

// True when the socket is ready for these events of poll(2), false when the deadline has passed.
bool wait_for(const UniqueFd& socket, short events, const Deadline& deadline);

// Both give errno's number of what failed, or 0. A connection to a port of this machine that met
// itself counts as refused.
int listen_on(const UniqueFd& socket, const Address& address);
int connect_to(const Address& address, const Deadline& deadline, UniqueFd& socket);

// A non-blocking, close-on-exec TCP socket; not valid, and errno set, where there is none.
UniqueFd open_socket(int family);

// No Nagle delay, and the kernel's own search for a dead peer. Failures do no harm and are ignored.
void set_connection_options(int socket);

// What became of a connection whose recv() gave `err`: "was reset: ...", "is dead: ...".
std::string describe_connection_error(int err);

// One send() or recv(), never blocking and never raising SIGPIPE.
struct Transfer {
  enum class State { some, would_block, closed, failed };
  State state;
  std::size_t bytes = 0;
  int err = 0;  // for failed
};
Transfer send_some(int socket, std::span<const std::byte> bytes);
Transfer receive_some(int socket, std::span<std::byte> into);

}  // namespace hawser::sockets
