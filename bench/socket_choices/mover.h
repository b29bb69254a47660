// How bytes get into a socket and out of it: what the variants differ in.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "socket_choices/variant.h"

namespace hawser::bench {

// Moves whole messages over one connected socket, which it borrows. Every call ends by the deadline
// with Code::timeout, and with Code::peer when the other side has gone. Of one thread.
class Mover {
 public:
  explicit Mover(int socket) : socket_(socket) {}
  virtual ~Mover() = default;
  Mover(const Mover&) = delete;
  Mover& operator=(const Mover&) = delete;

  void bound_by(const Deadline& deadline) { deadline_ = deadline; }

  // `slot` names the buffer; the next message from the same one may wait for it to be free.
  virtual Status send(std::span<const std::byte> message, std::size_t slot) = 0;
  virtual Status receive(std::span<std::byte> message) = 0;
  // Until every buffer that was sent from is free again.
  virtual Status settle() { return {}; }
  // What the kernel did, as far as it told; may be empty.
  virtual std::string note() const { return ""; }

 protected:
  static constexpr int kSliceMs = 100;  // a wait in the kernel, between looks at the clock

  int socket() const { return socket_; }
  const Deadline& deadline() const { return deadline_; }
  Status in_time(const char* doing) const;

 private:
  int socket_;
  Deadline deadline_ = Deadline::never();
};

// What one call came to: bytes, 0 where it would have blocked or was interrupted, else an error.
Result<std::size_t> moved(ssize_t result, const char* doing);

// Sets the connected socket up for these calls. Code::unavailable: this machine refuses them.
// `slots` buffers at most are sent from.
Result<std::unique_ptr<Mover>> make_mover(int socket, const Variant& variant, std::size_t slots);

// In a file of its own: the one where there is liburing, the one where there is not.
bool uring_is_built();
Result<std::unique_ptr<Mover>> make_uring_mover(int socket, const Variant& variant);

Result<std::unique_ptr<Mover>> make_epoll_mover(int socket, const Variant& variant);
Result<std::unique_ptr<Mover>> make_zerocopy_mover(int socket, const Variant& variant,
                                                   std::size_t slots);

}  // namespace hawser::bench
