// The regions of an engine: what transfers may touch, for how long, and by which keys.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hawser/region.h>

#include "base/clock.h"
#include "base/fork.h"
#include "base/result.h"
#include "engine/wire.h"
#include "memory/range.h"

namespace hawser {
class Gpu;
}

namespace hawser::engine {

class RegionTable;

// Thread-safe. Uses are counted: of each operation, and of each chunk that is being written into
// it. New ones are refused once it is closing.
class LocalRegion : public std::enable_shared_from_this<LocalRegion> {
 public:
  // `pinned`: host memory that every GPU reaches.
  LocalRegion(wire::Key key, MemoryRange range, Rights rights, std::shared_ptr<Gpu> gpu,
              bool pinned = false)
      : key_(key), range_(range), rights_(rights), gpu_(std::move(gpu)), pinned_(pinned) {}

  // True: a copy in a child of fork(), which is not to be deregistered.
  bool inherited() const { return made_.inherited(); }
  const wire::Key& key() const { return key_; }
  const MemoryRange& range() const { return range_; }
  Rights rights() const { return rights_; }
  bool grants(Rights wanted) const {
    return (static_cast<unsigned>(rights_) & static_cast<unsigned>(wanted)) != 0;
  }
  const std::shared_ptr<Gpu>& gpu() const { return gpu_; }  // null: host memory
  bool pinned() const { return pinned_; }
  // Memory of it was not there: said in the log, once.
  void note_loss(const Error& why);
  // Whether a peer may know of it.
  void note_token() { has_token_.store(true, std::memory_order_relaxed); }
  bool has_token() const { return has_token_.load(std::memory_order_relaxed); }

  // Only with true a use begins, to be ended by release().
  enum class User { owner, peer };
  bool try_use(User user);
  void use_again();  // by somebody who has a use
  void release();
  // From now on the owner begins no new uses. False: nobody does, it is closed.
  bool drain();
  // Nobody does.
  void close();
  bool wait_unused(const Deadline& deadline);

  // How the engine lets go of it: see EngineCore::deregister.
  std::function<Status(InFlight, int timeout_ms)> deregister;
  const void* owner = nullptr;  // the engine

 private:
  const wire::Key key_;
  const MemoryRange range_;
  const Rights rights_;
  const std::shared_ptr<Gpu> gpu_;
  const bool pinned_;
  const ForkMark made_;
  std::atomic<bool> has_token_{false};  // publishes nothing, nor does
  std::atomic<bool> lost_{false};       // this
  std::mutex mutex_;                    // guards what follows
  std::condition_variable unused_;
  std::uint64_t uses_ = 0;
  enum class State { open, draining, closed } state_ = State::open;
};

// One use of a region, ended when it goes. Move-only; empty: of none.
class RegionUse {
 public:
  RegionUse() = default;
  static RegionUse begin(std::shared_ptr<LocalRegion> region, LocalRegion::User user) {
    return region != nullptr && region->try_use(user) ? RegionUse(std::move(region)) : RegionUse();
  }
  RegionUse(RegionUse&& other) noexcept : region_(std::move(other.region_)) {}
  RegionUse& operator=(RegionUse&& other) noexcept {
    reset();
    region_ = std::move(other.region_);
    return *this;
  }
  ~RegionUse() { reset(); }

  // One more, which is allowed even where the region is closing: this one keeps it.
  RegionUse again() const;

  explicit operator bool() const { return region_ != nullptr; }
  LocalRegion* operator->() const { return region_.get(); }
  LocalRegion* get() const { return region_.get(); }
  void reset() {
    if (region_ != nullptr) region_->release();
    region_.reset();
  }

 private:
  explicit RegionUse(std::shared_ptr<LocalRegion> region) : region_(std::move(region)) {}
  std::shared_ptr<LocalRegion> region_;
};

// Thread-safe.
class RegionTable {
 public:
  void add(std::shared_ptr<LocalRegion> region);
  void remove(const LocalRegion& region);

  // What a peer may do by that key: an error's message goes to the peer.
  Result<RegionUse> use(const wire::Key& key, Rights wanted) const;
  // Whether `bytes` from `offset` on lie inside.
  static bool inside(const LocalRegion& region, std::uint64_t offset, std::uint64_t bytes);

 private:
  struct Hash {
    std::size_t operator()(const wire::Key& key) const;
  };
  mutable std::shared_mutex mutex_;  // guards what follows
  std::unordered_map<wire::Key, std::shared_ptr<LocalRegion>, Hash> regions_;
};

// 128 bits from the kernel's random source.
Result<wire::Key> make_key();

// What a token has in it (docs/engine-protocol.md).
struct TokenFields {
  wire::Key key{};
  std::uint64_t bytes = 0;
  int gpu = -1;
  Rights rights = Rights::none;
};
std::vector<std::byte> encode_token(const LocalRegion& region);
// Code::invalid_argument: no token, or a damaged one.
Result<TokenFields> decode_token(std::span<const std::byte> token);

}  // namespace hawser::engine
