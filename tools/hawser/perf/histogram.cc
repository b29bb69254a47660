#include "perf/histogram.h"

#include <algorithm>
#include <cmath>

namespace hawser {

void LatencyHistogram::merge(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

// The largest value of a bucket.
std::uint64_t LatencyHistogram::end_of(std::size_t bucket) {
  if (bucket < 2 * kSubBuckets) return bucket;
  const std::size_t shift = (bucket >> kSubBits) - 1;
  const std::uint64_t first = (kSubBuckets + (bucket & (kSubBuckets - 1))) << shift;
  return first + ((std::uint64_t{1} << shift) - 1);
}

std::uint64_t LatencyHistogram::quantile(double share) const {
  if (count_ == 0) return 0;
  const double wanted = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_));
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::clamp(end_of(i), min_, max_);
  }
  return max_;
}

}  // namespace hawser
