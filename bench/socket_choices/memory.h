// The memory that messages are sent from and received into.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "base/result.h"
#include "socket_choices/variant.h"

namespace hawser::bench {

// A mapping of our own, every page of which was written: a page that was not is the kernel's one
// page of zeros, and flatters the sender.
class Block {
 public:
  static Result<std::unique_ptr<Block>> map(std::size_t bytes, Pages pages);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  std::size_t huge_bytes() const;  // how much of it lies in huge pages, by the kernel's account

 private:
  Block(std::byte* data, std::size_t bytes) : data_(data), bytes_(bytes) {}

  std::byte* data_;
  std::size_t bytes_;
};

// One block of each kind of pages, made when it is first asked for, and made anew when a larger
// one is. Not thread-safe.
class Memory {
 public:
  // Valid until the next call.
  Result<const Block*> at_least(std::size_t bytes, Pages pages);

 private:
  std::array<std::unique_ptr<Block>, 2> blocks_;
};

// "huge pages: 2 MiB of 2 MiB", or empty for normal ones.
std::string pages_note(const Block& block, Pages pages);

}  // namespace hawser::bench
