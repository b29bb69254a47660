// Fills pages of a GPU's pool that were given back with rubbish.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "place.h"

namespace emu {

inline constexpr unsigned char kPoison = 0xDB;

// A stream does it, later: until then pages are not free. Never blocks. Not thread-safe.
class Poisoner {
 public:
  // nullptr on failure. `place` is on a GPU.
  static std::unique_ptr<Poisoner> create(Place place, std::byte* base);
  ~Poisoner();
  Poisoner(const Poisoner&) = delete;
  Poisoner& operator=(const Poisoner&) = delete;

  // Both say false where the GPU failed.
  bool add(std::span<const std::uint32_t> pages);
  // The pages that are through since it was last asked; valid until the next call.
  bool finished(std::span<const std::uint32_t>& pages);

 private:
  Poisoner(Place place, std::byte* base) : place_(place), base_(base) {}
  bool fill(std::uint32_t first, std::size_t count) const;
  bool mark();

  const Place place_;
  std::byte* const base_;
  CudaStream stream_ = nullptr;
  CudaEvent event_ = nullptr;
  std::vector<std::uint32_t> marked_;  // through when the event is
  std::vector<std::uint32_t> queued_;  // to be filled behind the event
  std::vector<std::uint32_t> through_;
};

}  // namespace emu
