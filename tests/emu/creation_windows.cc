#include "creation_windows.h"

#include <algorithm>

namespace emu {

std::uint64_t CreationWindows::open(int device, Side side) {
  const std::lock_guard lock(mutex_);
  open_.emplace(next_, Key{device, side});
  return next_++;
}

void CreationWindows::close(std::uint64_t window) {
  const std::lock_guard lock(mutex_);
  open_.erase(window);
}

bool CreationWindows::others_open(std::uint64_t window, int device, Side side) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(open_.begin(), open_.end(), [&](const auto& entry) {
    return entry.first != window && entry.second.device == device && entry.second.side == side;
  });
}

}  // namespace emu
