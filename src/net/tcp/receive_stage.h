// The bytes that were read from a data connection before it was known where they belong.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace hawser::tcp {

// A fixed buffer with a read and a write end. Small messages are read through it many at a time;
// of a large one it takes the beginning only. The memory is the flow's. Not thread-safe.
class ReceiveStage {
 public:
  explicit ReceiveStage(std::span<std::byte> memory) : memory_(memory) {}

  std::size_t size() const { return end_ - begin_; }
  const std::byte* data() const { return memory_.data() + begin_; }

  void drop(std::size_t bytes) { begin_ += bytes; }
  // Moves at most `limit` bytes out, and says how many.
  std::size_t take(std::byte* to, std::uint64_t limit) {
    const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(limit, size()));
    if (bytes > 0) std::memcpy(to, data(), bytes);
    drop(bytes);
    return bytes;
  }

  // Room for a read, at most `limit` bytes of it beyond what is there. What is left moves to the
  // front first: less than a header, as a rule.
  iovec room(std::size_t limit) {
    if (begin_ > 0) std::memmove(memory_.data(), data(), size());
    end_ = size();
    begin_ = 0;
    return {memory_.data() + end_, std::min(limit, memory_.size() - end_)};
  }
  void filled(std::size_t bytes) { end_ += bytes; }

 private:
  const std::span<std::byte> memory_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace hawser::tcp
