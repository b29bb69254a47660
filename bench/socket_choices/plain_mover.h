// send(2) and recv(2): blocking, polling, or with something to wait on in between.
#pragma once

#include <algorithm>

#include "socket_choices/mover.h"

namespace hawser::bench {

// The loop that all of them share; they differ in the calls' flags and in what they do when a call
// moved nothing.
class PlainMover : public Mover {
 public:
  PlainMover(int socket, const Variant& variant, int flags);

  Status send(std::span<const std::byte> message, std::size_t slot) override;
  Status receive(std::span<std::byte> message) override;

 protected:
  // After a call that would have blocked, or was interrupted.
  virtual Status idle(const char* doing) = 0;

  std::size_t piece(std::size_t left) const { return std::min(left, piece_bytes_); }

 private:
  std::size_t piece_bytes_;
  int flags_;
  bool quickack_each_;
};

Result<std::unique_ptr<Mover>> make_blocking_mover(int socket, const Variant& variant);
Result<std::unique_ptr<Mover>> make_polling_mover(int socket, const Variant& variant);

// Waits in the kernel, kSliceMs at a time.
class BlockingMover : public PlainMover {
 public:
  // With a socket that set_slice() was called for.
  BlockingMover(int socket, const Variant& variant) : PlainMover(socket, variant, 0) {}
  static Status prepare(int socket);

 protected:
  Status idle(const char* doing) override { return in_time(doing); }
};

}  // namespace hawser::bench
