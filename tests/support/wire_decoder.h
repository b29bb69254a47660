// Messages of the bootstrap protocol out of bytes in any pieces, as a session takes them.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "bootstrap/wire.h"
#include "control/line.h"

namespace hawser::test {

class WireDecoder {
 public:
  void feed(std::span<const std::byte> bytes) {
    pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  }
  // The next message, nothing if it is not whole yet, or what is wrong.
  Result<std::optional<wire::Message>> next() {
    control::Line line(UniqueFd(), "a test", wire::protocol(), pending_);
    HAWSER_ASSIGN(const auto frame, line.next_frame());
    if (!frame) return std::optional<wire::Message>();
    HAWSER_ASSIGN(wire::Message message, wire::decode_frame(*frame));
    pending_.assign(line.unread().begin(), line.unread().end());
    return std::optional(std::move(message));
  }
  std::span<const std::byte> pending() const { return pending_; }

 private:
  std::vector<std::byte> pending_;
};

}  // namespace hawser::test
