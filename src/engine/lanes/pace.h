// How fast a channel is, as its acknowledgements tell.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "base/clock.h"

namespace hawser::engine {

// Written by the channel's thread; outstanding() and rate() may be read by any.
class Pace {
 public:
  void sent(std::uint64_t bytes, TimePoint now) {
    if (waiting_ == 0 && outstanding() == 0) begin(now);
    outstanding_.fetch_add(bytes, std::memory_order_relaxed);
  }
  // Of a chunk that was sent at that time.
  void acknowledged(std::uint64_t bytes, TimePoint sent_at, TimePoint now) {
    outstanding_.fetch_sub(bytes, std::memory_order_relaxed);
    moved_at_ = now;
    shortest_ = std::min(shortest_, now - sent_at);
    sample_bytes_ += bytes;
    if (now - sample_from_ < kSample) return;
    const double seconds = std::chrono::duration<double>(now - sample_from_).count();
    const double sample = static_cast<double>(sample_bytes_) / seconds;
    const double before = rate();
    // A sample weighs what its time does: a channel that has become slow gives few.
    const double weight = 1 - std::exp(-seconds / kMemorySeconds);
    rate_.store(before == 0 ? sample : before + weight * (sample - before),
                std::memory_order_relaxed);
    sample_from_ = now;
    sample_bytes_ = 0;
  }
  // Frames, too, are waited for.
  void frame_sent(TimePoint now) {
    if (waiting_ == 0 && outstanding() == 0) begin(now);
    ++waiting_;
  }
  void frames_acknowledged(std::uint64_t count, TimePoint now) {
    waiting_ -= count;
    moved_at_ = now;
  }

  std::uint64_t outstanding() const { return outstanding_.load(std::memory_order_relaxed); }
  double rate() const {
    return rate_.load(std::memory_order_relaxed);
  }  // bytes a second; 0: unknown
  // For so long nothing was acknowledged though something was waited for.
  std::chrono::nanoseconds stalled_for(TimePoint now) const {
    if (waiting_ == 0 && outstanding() == 0) return std::chrono::nanoseconds::zero();
    return now - moved_at_;
  }
  // What should be on its way to keep the channel busy: twice what it takes in one round trip.
  std::uint64_t worth_having_out(std::uint64_t chunk_bytes) const {
    const double trip = std::chrono::duration<double>(std::min(shortest_, kLongestTrip)).count();
    const auto want = static_cast<std::uint64_t>(2 * rate() * trip);
    return std::clamp(want, kLeastChunks * chunk_bytes, kMostOut);
  }

 private:
  static constexpr std::chrono::milliseconds kSample{4};
  static constexpr double kMemorySeconds = 0.011;
  static constexpr std::chrono::nanoseconds kLongestTrip = std::chrono::seconds(1);
  static constexpr std::uint64_t kLeastChunks = 4;
  static constexpr std::uint64_t kMostOut = 64ULL << 20;

  void begin(TimePoint now) {
    moved_at_ = now;
    sample_from_ = now;
    sample_bytes_ = 0;
  }

  std::atomic<std::uint64_t> outstanding_{0};
  std::atomic<double> rate_{0};
  std::uint64_t waiting_ = 0;
  TimePoint moved_at_{};
  TimePoint sample_from_{};
  std::uint64_t sample_bytes_ = 0;
  std::chrono::nanoseconds shortest_ = std::chrono::hours(1);
};

}  // namespace hawser::engine
