// Figures: histograms, medians, ratios, calibration.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "bootstrap/wire.h"
#include "perf/histogram.h"
#include "perf/outcome.h"
#include "perf/ring.h"
#include "perf/steps.h"

namespace hawser {
namespace {

TEST(LatencyHistogram, OfNothingIsZero) {
  const LatencyHistogram empty;
  EXPECT_EQ(empty.count(), 0u);
  EXPECT_EQ(empty.min(), 0u);
  EXPECT_EQ(empty.max(), 0u);
  EXPECT_EQ(empty.quantile(0.5), 0u);
}

TEST(LatencyHistogram, IsExactForSmallValuesAndForTheExtremes) {
  LatencyHistogram histogram;
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.record(value);
  EXPECT_EQ(histogram.quantile(0.5), 50u);
  EXPECT_EQ(histogram.quantile(0.99), 99u);
  EXPECT_EQ(histogram.quantile(1), 100u);
  EXPECT_EQ(histogram.quantile(0), 1u);
  histogram.record(123'456'789);
  EXPECT_EQ(histogram.max(), 123'456'789u);
  EXPECT_EQ(histogram.quantile(1), 123'456'789u);
  EXPECT_EQ(histogram.min(), 1u);
}

TEST(LatencyHistogram, TakesEveryValue) {
  for (int bit = 0; bit < 64; ++bit)
    for (const std::uint64_t change : {std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX}) {
      const std::uint64_t value = (std::uint64_t{1} << bit) + change;
      LatencyHistogram histogram;
      histogram.record(value);
      EXPECT_EQ(histogram.quantile(0.5), value);
    }
}

TEST(LatencyHistogram, QuantilesAreWithinItsPrecisionOfTheSortedSamples) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  std::vector<std::uint64_t> samples;
  LatencyHistogram histogram;
  for (int i = 0; i < 20'000; ++i) {
    samples.push_back(random() >> (random() % 60));
    histogram.record(samples.back());
  }
  std::sort(samples.begin(), samples.end());
  for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const auto rank = static_cast<std::size_t>(share * 20'000 + 0.5) - 1;
    const double exact = static_cast<double>(samples[rank]);
    const double found = static_cast<double>(histogram.quantile(share));
    EXPECT_GE(found, exact);
    EXPECT_LE(found, exact * (1 + 1.0 / 128) + 1);
  }
}

TEST(LatencyHistogram, MergesAsIfAllHadBeenRecordedInOne) {
  LatencyHistogram a, b, both;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    (i % 3 == 0 ? a : b).record(i * i);
    both.record(i * i);
  }
  a.merge(b);
  EXPECT_EQ(a.count(), both.count());
  for (const double share : {0.0, 0.1, 0.5, 0.99, 1.0})
    EXPECT_EQ(a.quantile(share), both.quantile(share));
  a.clear();
  EXPECT_EQ(a.count(), 0u);
}

TEST(PerfSpread, IsMedianLeastAndMost) {
  const Spread odd = spread_of({3, 1, 2});
  EXPECT_EQ(odd.median, 2);
  EXPECT_EQ(odd.min, 1);
  EXPECT_EQ(odd.max, 3);
  EXPECT_EQ(spread_of({4, 1, 2, 3}).median, 2.5);
  EXPECT_EQ(spread_of({}).median, 0);
}

Series series(std::uint64_t bytes, std::vector<Sample> samples) {
  Series out;
  out.bytes_moved = bytes;
  out.messages_moved = bytes / 1000;
  out.samples = std::move(samples);
  return out;
}

TEST(PerfFigures, AreOfTenToTheNinth) {
  const Series moved = series(2'000'000'000, {{1'000'000'000, 500'000'000, 300'000'000},
                                              {2'000'000'000, 600'000'000, 300'000'000},
                                              {500'000'000, 400'000'000, 300'000'000}});
  EXPECT_DOUBLE_EQ(gigabytes_per_second(moved).median, 2);
  EXPECT_DOUBLE_EQ(gigabytes_per_second(moved).min, 1);
  EXPECT_DOUBLE_EQ(gigabytes_per_second(moved).max, 4);
  EXPECT_DOUBLE_EQ(messages_per_second(moved).median, 2'000'000);
  EXPECT_DOUBLE_EQ(client_cpu_per_gigabyte(moved).median, 0.25);
  EXPECT_DOUBLE_EQ(server_cpu_per_gigabyte(moved).median, 0.15);
}

TEST(PerfFigures, RatiosNeedAReference) {
  PerfPoint point;
  point.transport = series(1000, {{100, 10, 10}});
  EXPECT_FALSE(bandwidth_ratio(point).has_value());
  EXPECT_FALSE(cpu_ratio(point).has_value());
  point.bare = series(1000, {{200, 20, 20}});
  EXPECT_DOUBLE_EQ(*bandwidth_ratio(point), 2);
  EXPECT_DOUBLE_EQ(*cpu_ratio(point), 0.5);
  EXPECT_FALSE(latency_ratio(point).has_value()) << "no round trips were recorded";
  point.transport.round_trip_ns.record(60);
  point.bare->round_trip_ns.record(50);
  EXPECT_DOUBLE_EQ(*latency_ratio(point), 1.2);
}

// What a calibration settles on where each message takes `message_ns` and each step `fixed_ns`.
std::uint64_t settled(Calibration calibration, double message_ns, double fixed_ns) {
  for (int i = 0; i < Calibration::kMaxTries; ++i) {
    if (calibration.settled()) break;
    calibration.took(static_cast<std::uint64_t>(
        fixed_ns + message_ns * static_cast<double>(calibration.messages())));
  }
  EXPECT_TRUE(calibration.settled());
  return calibration.messages();
}

TEST(PerfCalibration, SettlesOnWhatTheDurationHolds) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  EXPECT_NEAR(static_cast<double>(settled({8, kSecond, 0}, 1000, 0)), 1e6, 1e4);
  EXPECT_NEAR(static_cast<double>(settled({8, kSecond, 0}, 10, 1e6)), 1e8, 5e6);
  EXPECT_EQ(settled({1 << 30, kSecond, 0}, 5e9, 0), 1u) << "one message at least";
  EXPECT_EQ(settled({1 << 20, kSecond, 10 << 20}, 1000, 0), 10u) << "the limit in bytes";
  EXPECT_EQ(settled({1 << 20, kSecond, 1}, 1000, 0), 1u);
}

TEST(PerfCalibration, EndsWhateverTheClockSays) {
  Calibration calibration(8, 1'000'000'000, 0);
  for (int i = 0; i < Calibration::kMaxTries; ++i) calibration.took(0);
  EXPECT_TRUE(calibration.settled());
  EXPECT_LE(calibration.messages(), wire::kMaxPerfMessages);
}

TEST(PerfRing, HoldsTwoMessagesAtLeastAndNoMoreThanCanBeInFlight) {
  EXPECT_EQ(ring_slots(8, 2 << 20, 32), 32u);
  EXPECT_EQ(ring_slots(1 << 20, 8 << 20, 32), 8u);
  EXPECT_EQ(ring_slots(64 << 20, 2 << 20, 32), 2u);
  EXPECT_EQ(ring_slots(8, 2 << 20, 1), 2u);
  EXPECT_EQ(ring_slots(kLargestPairedBytes + 1, 2 << 20, 32), 1u);
}

}  // namespace
}  // namespace hawser
