// How a receive gets from a bounce pool to its place, and how much went which way.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace hawser {

enum class UnpackMode {
  automatic,  // the best of these that memory and driver allow
  kernel,     // one launch for all receives that are there
  d2d,        // a driver copy per fragment
  host,       // through host memory, by the CPU
  none,       // nowhere: the network alone is measured, and the data is not there
};
inline constexpr std::size_t kUnpackModes = 5;

const char* unpack_mode_name(UnpackMode mode);  // "auto", "kernel", ...
// Code::invalid_argument, naming all there are.
Result<UnpackMode> parse_unpack_mode(const std::string& name);
// What HAWSER_UNPACK says.
Result<UnpackMode> unpack_mode_from_environment();

// What was really done, by all unpackers that were given it. Thread-safe.
class UnpackUse {
 public:
  void count(UnpackMode mode, std::uint64_t bytes) {
    bytes_[static_cast<std::size_t>(mode)].fetch_add(bytes, std::memory_order_relaxed);
  }
  // What will be done, where it is known beforehand.
  void expect(UnpackMode mode) { expected_.store(mode, std::memory_order_relaxed); }
  UnpackMode expected() const { return expected_.load(std::memory_order_relaxed); }
  std::uint64_t bytes(UnpackMode mode) const {
    return bytes_[static_cast<std::size_t>(mode)].load(std::memory_order_relaxed);
  }
  // The modes that moved anything, the one that moved most first: "kernel", "kernel+d2d"; "" where
  // nothing was unpacked yet.
  std::string text() const;

 private:
  std::array<std::atomic<std::uint64_t>, kUnpackModes> bytes_{};  // counts, publish nothing
  std::atomic<UnpackMode> expected_{UnpackMode::automatic};       // nor does this
};

}  // namespace hawser
