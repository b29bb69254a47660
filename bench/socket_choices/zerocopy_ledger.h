// Which buffers the kernel still reads from after MSG_ZEROCOPY.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace hawser::bench {

// The kernel numbers a socket's successful sends from 0, and reports ranges of them as completed.
// Pure, allocates once. Not thread-safe.
class ZerocopyLedger {
 public:
  static constexpr std::size_t kMaxOutstanding = 1024;  // sends; a power of two

  explicit ZerocopyLedger(std::size_t slots) : outstanding_of_(slots) {}

  bool full() const { return outstanding_ == kMaxOutstanding; }
  std::size_t outstanding() const { return outstanding_; }
  bool free(std::size_t slot) const { return outstanding_of_[slot] == 0; }

  // One send from that slot succeeded. Not when full().
  void sent(std::size_t slot);
  // The sends `first` to `last`, inclusive, are done; `copied`: the kernel had copied the bytes.
  // Code::system: a number that is not outstanding.
  Status completed(std::uint32_t first, std::uint32_t last, bool copied);

  // "the kernel copied 40 of 40 sends"
  std::string summary() const;

 private:
  struct Send {
    std::size_t slot = 0;
    bool outstanding = false;
  };
  Send& at(std::uint32_t number) { return sends_[number % kMaxOutstanding]; }

  std::array<Send, kMaxOutstanding> sends_{};
  std::vector<std::size_t> outstanding_of_;  // by slot
  std::uint32_t next_ = 0;                   // number of the next send; wraps as the kernel's does
  std::size_t outstanding_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t copied_ = 0;
};

}  // namespace hawser::bench
