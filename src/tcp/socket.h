// Non-blocking TCP sockets: the system calls the transport uses, with their errors sorted.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "topology/ip_address.h"

namespace hawser::tcp {

// How data sockets are made.
struct SocketOptions {
  int buffer_bytes = 0;    // SO_SNDBUF and SO_RCVBUF; 0 leaves them to the kernel
  std::string congestion;  // TCP_CONGESTION; empty leaves the kernel's default
  // A peer that was asked several times and has answered nothing for so long is gone. A stopped
  // process, or one that does not read, still answers: its kernel does.
  unsigned peer_silence_ms = 20'000;
};

// A stream socket: non-blocking, closed on exec, without Nagle's delay, kept alive.
Result<UniqueFd> open_socket(IpFamily family, const SocketOptions& options);

// Binds to `address` and listens.
Status listen_on(int fd, const SocketAddress& address, int backlog);

// The next waiting connection, non-blocking and closed on exec; an invalid one if none waits.
Result<UniqueFd> accept_one(int fd);

// Binds to `source` (any port) and starts connecting to `target`.
Status start_connect(int fd, const IpAddress& source, const SocketAddress& target);
// False: not yet. An error is Code::peer, and says which address it was.
Result<bool> connect_finished(int fd, const SocketAddress& target);

Result<SocketAddress> local_address(int fd);
Result<SocketAddress> remote_address(int fd);

// What a read or write came to. A failure holds errno.
struct IoResult {
  enum class State { moved, would_block, closed, failed };
  State state = State::moved;
  std::size_t bytes = 0;
  int error = 0;
};

// One sendmsg(2) / readv(2), repeated on EINTR only. Never raises SIGPIPE.
IoResult write_some(int fd, std::span<iovec> parts);
IoResult read_some(int fd, std::span<iovec> parts);

// Of a connection that was made: whether the peer has answered nothing for `silence_ms` although it
// was asked at least a few times. Its machine, or the way to it, is gone.
bool peer_is_silent(int fd, unsigned silence_ms);

// Ends the connection at once: the peer's next call fails, whatever it waits for. The descriptor
// stays open.
void reset_connection(int fd);

// Whether errno says that the peer or the way to it is at fault, not this process.
bool is_peer_error(int error);
// Code::peer or Code::system, with errno's text.
Error io_error(int error, const std::string& doing);

}  // namespace hawser::tcp
