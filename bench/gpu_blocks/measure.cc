#include "gpu_blocks/measure.h"

#include <fmt/core.h>

#include <functional>

#include "base/clock.h"
#include "perf/outcome.h"

namespace hawser::bench {
namespace {

using Queue = std::function<Status()>;

double microseconds_since(TimePoint start) {
  return std::chrono::duration<double, std::micro>(Clock::system().now() - start).count();
}

Result<Sample> sample(const Ways& ways, const Queue& queue) {
  Sample taken;
  const TimePoint start = Clock::system().now();
  HAWSER_TRY(queue());
  taken.queue_us = microseconds_since(start);
  HAWSER_TRY(ways.finish());
  taken.total_us = microseconds_since(start);
  return taken;
}

// Also warms up what is used.
Status verify(const Ways& ways, Layout& layout, Direction direction, const Queue& queue) {
  HAWSER_TRY(layout.reset(direction));
  HAWSER_TRY(queue());
  HAWSER_TRY(ways.finish());
  return layout.verify(direction);
}

std::vector<double> totals(const WayFigures& figures) {
  std::vector<double> values;
  for (const Sample& one : figures.samples) values.push_back(one.total_us);
  return values;
}

double median_queue_us(const WayFigures& figures) {
  std::vector<double> values;
  for (const Sample& one : figures.samples) values.push_back(one.queue_us);
  return spread_of(values).median;
}

// Sample by sample, since they were taken in turn.
double median_ratio(const WayFigures& figures, const WayFigures& reference) {
  std::vector<double> values;
  for (std::size_t i = 0; i < figures.samples.size(); ++i)
    values.push_back(reference.samples[i].total_us / figures.samples[i].total_us);
  return spread_of(values).median;
}

}  // namespace

Result<std::vector<WayFigures>> measure(const Ways& ways, const Shape& shape, Direction direction,
                                        int repeats) {
  HAWSER_ASSIGN(Layout layout, Layout::make(ways.gpu(), shape));
  std::vector<WayFigures> figures;
  std::vector<Queue> queues;
  for (const auto& way : ways.all()) {
    queues.push_back([&, to_use = way.get()]() -> Status {
      for (std::size_t call = 0; call < shape.calls; ++call)
        HAWSER_TRY(to_use->queue(layout.blocks(direction, call)));
      return {};
    });
    const Status right = verify(ways, layout, direction, queues.back());
    if (!right.ok()) return right.error().within(way->name());
    figures.push_back({way->name(), {}});
  }
  const BlockCopy whole = layout.contiguous(direction);
  queues.push_back([&] { return ways.each().queue({&whole, 1}); });
  figures.push_back({"contiguous", {}});
  for (int round = 0; round < repeats; ++round)
    for (std::size_t i = 0; i < queues.size(); ++i) {
      HAWSER_ASSIGN(const Sample taken, sample(ways, queues[i]));
      figures[i].samples.push_back(taken);
    }
  return figures;
}

std::string table_of(const Shape& shape, Direction direction,
                     const std::vector<WayFigures>& figures) {
  std::string text =
      fmt::format("\n{} {}\n  {:<12} {:>28} {:>8} {:>13} {:>12}\n", direction_name(direction),
                  shape.text(), "way", "us", "GB/s", "x contiguous", "queueing us");
  for (const WayFigures& one : figures) {
    const Spread spread = spread_of(totals(one));
    text +=
        fmt::format("  {:<12} {:>28} {:>8.2f} {:>13.3f} {:>12.1f}\n", one.name,
                    fmt::format("{:.1f} ({:.1f}-{:.1f})", spread.median, spread.min, spread.max),
                    static_cast<double>(shape.bytes()) / spread.median / 1000,
                    median_ratio(one, figures.back()), median_queue_us(one));
  }
  return text;
}

}  // namespace hawser::bench
