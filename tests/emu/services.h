// What every part of the emulator is handed: settings, faults, counters and the log.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <memory>

#include "ending.h"
#include "fault_rules.h"
#include "faults.h"
#include "place.h"
#include "report.h"
#include "settings.h"
#include "stats.h"

namespace emu {

// References only; what they refer to lives as long as the process.
struct Services {
  const Settings& settings;
  Report& report;
  Stats& stats;
  Faults& faults;
  Ending& ending;
};

// Which connection, and which end of it.
struct CommInfo {
  int device = 0;
  int channel = 0;
  Side side = Side::any;
  std::uint64_t creation = 0;  // its window in CreationWindows
  Place place{};               // that of the threads that made it
};

// A piece of memory that the host registered with one device.
struct Registration {
  Registration() = default;
  ~Registration() {
    if (dma_buf >= 0) ::close(dma_buf);
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  std::byte* data = nullptr;
  std::size_t bytes = 0;
  int type = 0;
  int device = 0;
  CudaContext context = nullptr;  // of type CUDA
  int dma_buf = -1;               // likewise: the descriptor of what the driver exported
  std::atomic<int> in_flight{0};  // requests that use it

  bool covers(const void* start, std::size_t length) const {
    const auto* first = static_cast<const std::byte*>(start);
    return first >= data && first <= data + bytes &&
           length <= static_cast<std::size_t>(data + bytes - first);
  }
};

// A request's hold on its registration.
class Hold {
 public:
  Hold() = default;
  explicit Hold(std::shared_ptr<Registration> registration)
      : registration_(std::move(registration)) {
    registration_->in_flight.fetch_add(1);
  }
  Hold(Hold&&) = default;
  Hold& operator=(Hold&& other) noexcept {
    release();
    registration_ = std::move(other.registration_);
    return *this;
  }
  ~Hold() { release(); }
  const Registration& operator*() const { return *registration_; }
  const Registration* operator->() const { return registration_.get(); }

 private:
  void release() {
    if (registration_) registration_->in_flight.fetch_sub(1);
    registration_.reset();
  }
  std::shared_ptr<Registration> registration_;
};

// What isend and irecv post.
struct Posting {
  std::byte* data = nullptr;
  std::uint32_t bytes = 0;
  Hold registration;
};

}  // namespace emu
