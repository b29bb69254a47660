// Latencies, counted in buckets whose width grows with the value.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace hawser {

// Values from 0 to 2^64 - 1 with a relative error below 1/128. Pure; allocates nothing after it
// was made. Not thread-safe.
class LatencyHistogram {
 public:
  void record(std::uint64_t value) {
    ++counts_[bucket_of(value)];
    ++count_;
    if (value > max_) max_ = value;
    if (value < min_) min_ = value;
  }
  void merge(const LatencyHistogram& other);
  void clear() { *this = LatencyHistogram(); }

  std::uint64_t count() const { return count_; }
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }  // exact
  std::uint64_t max() const { return max_; }                    // exact
  // The least value that at least this share of all are not above, rounded up to its bucket's
  // end but never beyond max(); 0 of none.
  std::uint64_t quantile(double share) const;

 private:
  static constexpr int kSubBits = 7;
  static constexpr std::size_t kSubBuckets = std::size_t{1} << kSubBits;
  static constexpr std::size_t kBuckets = (64 - kSubBits + 1) * kSubBuckets;

  // Below 2^7 each value has its own; from there, 2^7 of them per doubling.
  static std::size_t bucket_of(std::uint64_t value) {
    const int shift = std::bit_width(value) - 1 - kSubBits;
    if (shift < 0) return value;
    return (static_cast<std::size_t>(shift) << kSubBits) + (value >> shift);
  }
  static std::uint64_t end_of(std::size_t bucket);

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t min_ = UINT64_MAX;
  std::uint64_t max_ = 0;
};

}  // namespace hawser
