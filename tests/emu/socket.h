// A non-blocking TCP socket.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <utility>

#include "devices.h"
#include "wire.h"

namespace emu {

// What came of one attempt to move bytes: `bytes` of them, or nothing yet (0), or the end.
struct Moved {
  std::size_t bytes = 0;
  bool ended = false;  // closed by the peer, or broken
};

// Owns its descriptor. Not thread-safe.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept;
  ~Socket() { close(); }

  // An unusable socket (fd() < 0, errno set) on failure. Descriptor 0 is one, with EBADF.
  static Socket listen_on(const Address& address);
  static Socket start_connect(const Address& from, const Address& to);
  Socket accept() const;

  int fd() const { return fd_; }
  bool usable() const { return fd_ >= 0; }
  Address local() const;

  // Of start_connect: 0 when connected, EINPROGRESS, or what went wrong.
  int connect_result() const;

  Moved send(const void* data, std::size_t bytes, bool more_follows = false) const;
  Moved receive(void* data, std::size_t bytes) const;
  Moved receive(std::span<const iovec> pieces) const;
  void acknowledge() const;
  bool peer_closed() const;            // also while bytes wait to be read
  std::size_t unacknowledged() const;  // what was sent and the peer's kernel does not have yet

  void close();
  void reset();  // close without a goodbye, as a dead machine would

 private:
  int fd_ = -1;
};

// A frame that comes in pieces.
class FrameReader {
 public:
  enum class State { waiting, complete, ended };
  State read(const Socket& socket);
  std::optional<Frame> frame() const { return decode(bytes_); }
  void restart() { have_ = 0; }

 private:
  FrameBytes bytes_{};
  std::size_t have_ = 0;
};

}  // namespace emu
