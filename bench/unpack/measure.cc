#include "unpack/measure.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/clock.h"
#include "perf/outcome.h"

namespace hawser::bench {
namespace {

double microseconds_since(TimePoint start) {
  return std::chrono::duration<double, std::micro>(Clock::system().now() - start).count();
}

Status verify(BouncePool& pool, const Way& way) {
  HAWSER_TRY(pool.spoil());
  HAWSER_TRY(way.run());
  const Status right = way.moves_receives ? pool.verify() : Status();
  return right.ok() ? right : right.error().within(way.name);
}

Status wait(Unpacker& unpacker, std::uint64_t mark) {
  while (true) {
    HAWSER_ASSIGN(const bool finished, unpacker.finished(mark));
    if (finished) return {};
  }
}

Status unpack_part(Unpacker& unpacker, const BouncePool& pool, std::size_t first, std::size_t end,
                   std::size_t together) {
  std::uint64_t mark = 0;
  for (std::size_t i = first; i < end; ++i) {
    HAWSER_TRY(unpacker.add(pool.fragments(i), pool.place(i)));
    if ((i + 1 - first) % together != 0 && i + 1 < end) continue;
    HAWSER_ASSIGN(mark, unpacker.submit());
  }
  return wait(unpacker, mark);
}

std::string line(const Way& way, const std::vector<double>& taken_us,
                 const std::vector<double>& yardstick_us, std::size_t bytes) {
  std::vector<double> rates, ratios;
  for (std::size_t i = 0; i < taken_us.size(); ++i) {
    rates.push_back(2.0 * static_cast<double>(bytes) / taken_us[i] / 1000);  // read and written
    ratios.push_back(yardstick_us[i] / taken_us[i]);
  }
  const Spread spread = spread_of(rates);
  return fmt::format("  {:<42} {:>8.1f} ({:.1f}-{:.1f})   x {:.2f}\n", way.name, spread.median,
                     spread.min, spread.max, spread_of(ratios).median);
}

}  // namespace

Result<std::string> table(BouncePool& pool, const std::vector<Way>& ways, int repeats) {
  for (const Way& way : ways) HAWSER_TRY(verify(pool, way));
  std::vector<std::vector<double>> taken(ways.size());
  for (int round = 0; round < repeats; ++round)
    for (std::size_t i = 0; i < ways.size(); ++i) {
      const TimePoint start = Clock::system().now();
      HAWSER_TRY(ways[i].run());
      taken[i].push_back(microseconds_since(start));
    }
  std::string text;
  for (std::size_t i = 0; i < ways.size(); ++i)
    text += line(ways[i], taken[i], taken.back(), pool.bytes());
  return text;
}

Way unpacking(const std::string& name, const std::shared_ptr<Unpacker>& unpacker,
              const BouncePool& pool, std::size_t together) {
  return {name, [unpacker, &pool, together] {
            return unpack_part(*unpacker, pool, 0, pool.receives(), together);
          }};
}

Way unpacking_by_crew(const std::string& name, const std::shared_ptr<Crew>& crew,
                      const std::vector<std::shared_ptr<Unpacker>>& unpackers,
                      const BouncePool& pool, std::size_t together) {
  return {name, [unpackers, crew, &pool, together] {
            const std::size_t each = pool.receives() / unpackers.size();
            return crew->run([&](int member) {
              const auto which = static_cast<std::size_t>(member);
              const bool last = which + 1 == unpackers.size();
              return unpack_part(*unpackers[which], pool, which * each,
                                 last ? pool.receives() : (which + 1) * each, together);
            });
          }};
}

Result<std::string> latency(Unpacker& unpacker, const BouncePool& pool, int samples) {
  std::vector<double> values;
  for (int i = 0; i < samples; ++i) {
    const std::size_t receive = static_cast<std::size_t>(i) % pool.receives();
    const TimePoint start = Clock::system().now();
    HAWSER_TRY(unpacker.add(pool.fragments(receive), pool.place(receive)));
    HAWSER_ASSIGN(const std::uint64_t mark, unpacker.submit());
    HAWSER_TRY(wait(unpacker, mark));
    values.push_back(microseconds_since(start));
  }
  std::sort(values.begin(), values.end());
  return fmt::format("{:.1f} {:.1f} {:.1f}", values.front(), values[values.size() / 2],
                     values[values.size() * 99 / 100]);
}

}  // namespace hawser::bench
