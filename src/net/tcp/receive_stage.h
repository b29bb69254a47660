// The bytes that were read from a data connection before it was known where they belong.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

namespace hawser::tcp {

// A fixed buffer with a read and a write end. Small messages are read through it many at a time;
// of a large one it takes the beginning only. Not thread-safe.
class ReceiveStage {
 public:
  // Memory that is never filled is never the kernel's to give.
  explicit ReceiveStage(std::size_t bytes)
      : capacity_(bytes), buffer_(std::make_unique_for_overwrite<std::byte[]>(bytes)) {}

  std::size_t size() const { return end_ - begin_; }
  const std::byte* data() const { return buffer_.get() + begin_; }

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
    if (begin_ > 0) std::memmove(buffer_.get(), data(), size());
    end_ = size();
    begin_ = 0;
    return {buffer_.get() + end_, std::min(limit, capacity_ - end_)};
  }
  void filled(std::size_t bytes) { end_ += bytes; }

 private:
  const std::size_t capacity_;
  const std::unique_ptr<std::byte[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace hawser::tcp
