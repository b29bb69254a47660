// TCP sockets: how they are opened, connected and used, and what went wrong with them in words.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "base/address.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

// Thread-safe as the system calls are that they make.
namespace hawser::sockets {

inline constexpr int kBacklog = 128;  // connections that wait to be accepted
inline constexpr int kLongestPollMs =
    1000;  // of one call of poll(2); then the deadline is looked at

// ---- opening: int is errno's number of what failed, or 0 ----

// Non-blocking, closed on exec; not valid, and errno set, where there is none.
UniqueFd open_socket(IpFamily family);
int listen_on(const UniqueFd& socket, const SocketAddress& address, int backlog = kBacklog);
// The next waiting connection, as open_socket() makes them, with the listener's options; not valid,
// and errno set, where none waits or it has gone.
UniqueFd accept_one(int listener, SocketAddress* from = nullptr);
// Waits. A connection to a port of this machine that met itself counts as refused.
int connect_to(const SocketAddress& address, const Deadline& deadline, UniqueFd& socket);

// The same without waiting: where it connects from (the port is the kernel's choice, and may be in
// use towards other targets), its beginning, and what came of it. Nothing: not yet.
int bind_source(int fd, const IpAddress& source);
// Whatever the routes say, it sends by that interface, and hears what comes in there. Since Linux
// 5.7 everybody may do that to a socket that is not bound to one yet.
int bind_to_device(int fd, const std::string& interface);
int start_connect(int fd, const SocketAddress& target);
std::optional<int> connect_outcome(int fd);

Status set_option(int fd, int level, int option, int value, const char* name);
// Of the control plane: no Nagle delay, and the kernel's own search for a dead peer. Failures do no
// harm and are ignored.
void set_connection_options(int socket);

// Whether what goes there stays on this machine: it is one of its own addresses.
bool stays_here(const IpAddress& target);

Result<SocketAddress> local_address(int fd);
Result<SocketAddress> remote_address(int fd);

// ---- using ----

// True when the socket is ready for these events of poll(2), false when the deadline has passed.
bool wait_for(const UniqueFd& socket, short events, const Deadline& deadline);

// What one send() or recv() came to: never blocking, never raising SIGPIPE, repeated on EINTR.
struct Transfer {
  enum class State { some, would_block, closed, failed };
  State state = State::some;
  std::size_t bytes = 0;
  int err = 0;  // for failed; and for closed, where it was sent to
};
Transfer send_some(int socket, std::span<const std::byte> bytes);
Transfer receive_some(int socket, std::span<std::byte> into);
// Of several parts; the socket is non-blocking.
Transfer send_some(int socket, std::span<iovec> parts);
Transfer receive_some(int socket, std::span<iovec> parts);

// Ends the connection at once: the peer's next call fails, whatever it waits for. The descriptor
// stays open.
void reset_connection(int fd);

// ---- errors ----

// Whether errno says that the peer or the way to it is at fault, not this process.
bool is_peer_error(int err);
// Code::peer or Code::system, with errno's text.
Error io_error(int err, const std::string& doing);
// The same of a bind(), a listen() or a connect() that `doing` names; what a number means there
// that says little, or something else than its text, is explained.
Error binding_error(int err, const std::string& doing);
Error connecting_error(int err, const std::string& doing);
// What became of a connection whose recv() gave `err`: "was reset: ...", "is dead: ...".
std::string describe_connection_error(int err);

}  // namespace hawser::sockets
