// Memory of the host or of a simulated GPU, between guard bytes, that tests fill and look at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <hawser/engine.h>

#include "engine/variants.h"
#include "memory/buffer.h"
#include "support/guarded_buffer.h"

namespace hawser::test {

// The GPU of Place::gpu, which both engines share.
std::shared_ptr<Gpu> simulated_gpu();

// Not thread-safe by itself; distinct parts may be used by distinct threads.
class Memory {
 public:
  Memory(Place place, std::size_t bytes);

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

  void put(std::size_t offset, std::span<const std::byte> bytes);
  std::vector<std::byte> get(std::size_t offset, std::size_t bytes) const;
  // All of it, or a part: the pattern of `seed` from its first byte on.
  void fill(std::uint64_t seed) { fill(seed, 0, bytes_); }
  void fill(std::uint64_t seed, std::size_t offset, std::size_t bytes);
  void wipe();  // kGuard everywhere
  // Empty: that part is the pattern of `seed` from its first byte on. Else what is wrong.
  std::string mismatch(std::uint64_t seed, std::size_t offset, std::size_t bytes) const;
  // Whether all but this part is kGuard, the guards included.
  bool untouched_outside(std::size_t offset, std::size_t bytes) const;

 private:
  static constexpr std::size_t kMargin = 4096;

  std::size_t bytes_;
  std::unique_ptr<std::byte[]> host_;
  mutable std::optional<Buffer> gpu_;
  std::byte* data_ = nullptr;
};

// Memory, registered, and as the peer sees it.
struct Piece {
  Piece(Engine& engine, Place place, std::size_t bytes, Rights rights = Rights::read_write);
  ~Piece();
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;

  Memory memory;
  Region region;
  RemoteRegion remote;
};

}  // namespace hawser::test
