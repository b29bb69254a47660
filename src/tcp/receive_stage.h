// The bytes that were read from a data connection before it was known where they belong.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>

namespace hawser::tcp {

// A fixed buffer with a read and a write end. Small messages are read through it many at a time;
// of a large one it takes the beginning only. Not thread-safe.
class ReceiveStage {
 public:
  static constexpr std::size_t kBytes = 16 * 1024;

  std::size_t size() const { return end_ - begin_; }
  const std::byte* data() const { return buffer_.data() + begin_; }

  void drop(std::size_t bytes) { begin_ += bytes; }
  // Moves at most `limit` bytes out, and says how many.
  std::size_t take(std::byte* to, std::size_t limit) {
    const std::size_t bytes = std::min(limit, size());
    if (bytes > 0) std::memcpy(to, data(), bytes);
    drop(bytes);
    return bytes;
  }

  // Room for a read. What is left moves to the front first: less than a header, as a rule.
  iovec room() {
    if (begin_ > 0) std::memmove(buffer_.data(), data(), size());
    end_ = size();
    begin_ = 0;
    return {buffer_.data() + end_, kBytes - end_};
  }
  void filled(std::size_t bytes) { end_ += bytes; }

 private:
  std::array<std::byte, kBytes> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace hawser::tcp
