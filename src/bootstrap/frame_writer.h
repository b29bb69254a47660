// Writes whole frames to a socket that several threads share.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace hawser {

// Thread-safe: frames go out whole, one after the other. The first failure is the last word: every
// later call fails at once with it.
class FrameWriter {
 public:
  // Borrows the (connected) socket. `abort_event` readable makes a waiting write give up.
  FrameWriter(int socket, int abort_event, std::string peer)
      : socket_(socket), abort_event_(abort_event), peer_(std::move(peer)) {}

  // Waits for the peer to take it, at most `timeout`.
  Status write(std::span<const std::byte> frame, Milliseconds timeout);
  // Writes it if that needs no waiting, else leaves it out. For frames that another one makes
  // superfluous.
  Status write_if_free(std::span<const std::byte> frame);

  // What ended the writing, if something did.
  std::optional<Error> failure() const;

 private:
  Status push(std::span<const std::byte>& bytes, const Deadline& deadline, bool may_wait);
  Status wait_writable(const Deadline& deadline);
  Status fail(Error error);

  const int socket_;
  const int abort_event_;
  const std::string peer_;

  std::mutex writing_;                // held while a frame goes out
  std::vector<std::byte> remainder_;  // of a frame that went out in part; guarded by writing_

  mutable std::mutex failing_;  // guards failure_; never held across a system call that waits
  std::optional<Error> failure_;
};

}  // namespace hawser
