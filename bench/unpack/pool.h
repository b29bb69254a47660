// A bounce pool full of receives, as a plugin leaves them, and where they belong.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gpu/gpu.h"
#include "memory/buffer.h"
#include "net/net.h"
#include "net/unpack/unpacker.h"

namespace hawser::bench {

inline constexpr std::size_t kChunkBytes = 512 * 1024;

// How a receive lies in the pool.
enum class Cut {
  pages,   // whole pages, in a random order
  random,  // 1 to 4096 bytes, anywhere in a page
  tiny,    // 2 to 510 bytes, anywhere in a page
};
const char* cut_text(Cut cut);

// Much more than a cache holds; fewer receives where their pages would be more than 4 GiB. Without
// a GPU all of it is in host memory.
class BouncePool {
 public:
  static Result<BouncePool> make(std::shared_ptr<Gpu> gpu, Cut cut, std::size_t receives);

  std::size_t receives() const { return lists_.size(); }
  std::size_t bytes() const { return receives() * kChunkBytes; }
  Fragments fragments(std::size_t receive) const;
  Unpacker::Place place(std::size_t receive) const;
  const Buffer& source() const { return source_; }
  const Buffer& destination() const { return destination_; }

  Status spoil();         // the destination
  Status verify() const;  // every byte of it

 private:
  BouncePool(Buffer source, Buffer destination, Buffer descriptors)
      : source_(std::move(source)),
        destination_(std::move(destination)),
        descriptors_(std::move(descriptors)) {}
  void cut_up(Cut cut, std::size_t receives);

  Buffer source_;
  Buffer destination_;
  Buffer descriptors_;  // pinned where there is a GPU
  std::vector<std::byte> source_bytes_;
  std::vector<std::byte> expected_;
  std::vector<std::span<const Fragment>> lists_;
};

}  // namespace hawser::bench
