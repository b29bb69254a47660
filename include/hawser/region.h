// Registered memory: what a peer may read and write, and how it names it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <hawser/export.h>
#include <hawser/result.h>

namespace hawser {

namespace engine {
class LocalRegion;
}

// What peers may do with a region, by its token. Its owner's own transfers need no right.
enum class Rights : std::uint8_t { none = 0, read = 1, write = 2, read_write = 3 };

// What becomes of transfers that use a region when it is deregistered.
enum class InFlight {
  wait,  // those under way end as they would have, the peers' too; new ones are refused
  fail,  // those under way fail, too, on both sides
};

struct RegionSpan;
struct RemotePlace;

// Memory of this process that transfers may use: a handle, cheap to copy, thread-safe. The region
// lives until deregister(), or until its engine goes; the memory must outlive it.
class HAWSER_API Region {
 public:
  Region() = default;  // of nothing
  explicit operator bool() const { return impl_ != nullptr; }

  void* data() const;
  std::uint64_t bytes() const;
  int gpu() const;  // the CUDA ordinal of device memory; -1: host memory, pinned or not

  // `bytes` from `offset` on, for a transfer, which checks the bounds.
  RegionSpan span(std::uint64_t offset, std::uint64_t bytes) const;

  // What a peer needs to name it, to be sent to the peer by any way: kRegionTokenBytes. Who has it
  // has the region's rights, and nobody can guess it.
  std::vector<std::byte> token() const;

  // On success nobody reads or writes the memory any more. Code::timeout: somebody still does;
  // new transfers are refused all the same, and it may be called again. InFlight::wait asks the
  // peers, where they have a right to it: a round trip, or timeout_ms where one does not answer.
  Status deregister(InFlight in_flight = InFlight::wait, int timeout_ms = 30'000);

 private:
  friend class Engine;
  friend class Link;
  explicit Region(std::shared_ptr<engine::LocalRegion> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<engine::LocalRegion> impl_;
};

inline constexpr std::size_t kRegionTokenBytes = 48;

// A region of a peer: a value, made from a token. Nothing is asked of the peer: whether the token
// is worth anything shows when it is used.
class HAWSER_API RemoteRegion {
 public:
  using Key = std::array<std::byte, 16>;

  RemoteRegion() = default;  // of nothing: every transfer with it is refused

  // Code::invalid_argument: these bytes are no token, or damaged.
  static Result<RemoteRegion> from_token(std::span<const std::byte> token);

  std::uint64_t bytes() const { return bytes_; }
  int gpu() const { return gpu_; }  // of the peer; -1: host memory
  Rights rights() const { return rights_; }
  const Key& key() const { return key_; }

  // Where a one-sided transfer begins there; it is as long as its local side.
  RemotePlace at(std::uint64_t offset) const;

 private:
  Key key_{};
  std::uint64_t bytes_ = 0;
  int gpu_ = -1;
  Rights rights_ = Rights::none;
};

// A part of a local region: the local side of a transfer of one piece.
struct RegionSpan {
  Region region;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

// A place in a region of the peer.
struct RemotePlace {
  RemoteRegion region;
  std::uint64_t offset = 0;
};

inline RegionSpan Region::span(std::uint64_t offset, std::uint64_t bytes) const {
  return {*this, offset, bytes};
}

inline RemotePlace RemoteRegion::at(std::uint64_t offset) const {
  return {*this, offset};
}

}  // namespace hawser
