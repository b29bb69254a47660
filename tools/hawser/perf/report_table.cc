#include <fmt/core.h>

#include "perf/report.h"
#include "perf/ring.h"
#include "perf/sizes.h"

namespace hawser {
namespace {

std::string ratio_text(const std::optional<double>& ratio) {
  return ratio ? fmt::format("{:.2f}", *ratio) : std::string("-");
}

// Four digits that mean something, however small the figure.
std::string digits(double value) {
  return fmt::format("{:#.4g}", value);
}

std::string spread_text(const Spread& spread) {
  return fmt::format("{} ({}-{})", digits(spread.median), digits(spread.min), digits(spread.max));
}

std::string microseconds(const LatencyHistogram& round_trips, double share) {
  return fmt::format("{:.2f}", static_cast<double>(round_trips.quantile(share)) / 2000);
}

std::string header(const PerfOutcome& outcome) {
  const bool link = outcome.over == "link";
  std::string text = fmt::format("=== hawser perf: {} {} ===\n",
                                 link ? "a link over" : "the bare net of", outcome.transport);
  text += link
              ? "Measured:  writes of the transfer API, done when applied there; ping-pong: with a "
                "notification\n"
              : "Measured:  the transport alone, its sends and receives, without an engine\n";
  text += fmt::format("Transport: {}\n", outcome.transport_description);
  text += fmt::format("Server:    {}\n", outcome.server_host);
  text += fmt::format("Client:    {}\n", outcome.client_host);
  text += fmt::format(
      "Channels:  {}, {} messages in flight each, {} at most per request, idle threads {}\n",
      outcome.channels, outcome.window, size_text(outcome.chunk_bytes), outcome.idle);
  text += fmt::format(
      "Buffers:   messages go round {} per channel (two messages at least, one beyond {})\n",
      size_text(outcome.ring_bytes), size_text(kLargestPairedBytes));
  text += fmt::format(
      "Repeats:   {} of about {} ms, transport and bare sockets in turn; median "
      "(least-most)\n",
      outcome.repeats, outcome.duration_ms);
  if (outcome.bare_sockets == 0) return text + "Bare:      not measured\n";
  return text + fmt::format(
                    "Bare:      {} sockets with {}, a thread each, send/recv of a whole "
                    "message, blocking or polling: the faster; ping-pong: one, polling\n",
                    outcome.bare_sockets, outcome.bare_congestion);
}

std::string bare_text(const Series& bare) {
  return fmt::format("{} {}", spread_text(gigabytes_per_second(bare)),
                     bare.how == "polling" ? " poll" : "block");
}

std::string stream_line(const PerfPoint& point) {
  const std::string bare = point.bare ? bare_text(*point.bare) : "-";
  return fmt::format("{:>8}  {:>28}  {:>12.0f}  {:>9} {:>9}  {:>34}  {:>6}  {:>6}\n",
                     size_text(point.bytes), spread_text(gigabytes_per_second(point.transport)),
                     messages_per_second(point.transport).median,
                     digits(client_cpu_per_gigabyte(point.transport).median),
                     digits(server_cpu_per_gigabyte(point.transport).median), bare,
                     ratio_text(bandwidth_ratio(point)), ratio_text(cpu_ratio(point)));
}

std::string ping_pong_line(const PerfPoint& point) {
  const LatencyHistogram& trips = point.transport.round_trip_ns;
  const std::string bare = point.bare ? microseconds(point.bare->round_trip_ns, 0.5) : "-";
  return fmt::format("{:>8}  {:>9} {:>9} {:>9} {:>9}  {:>12.0f}  {:>9}  {:>6}\n",
                     size_text(point.bytes), microseconds(trips, 0.5), microseconds(trips, 0.99),
                     microseconds(trips, 0.999), microseconds(trips, 1),
                     messages_per_second(point.transport).median, bare,
                     ratio_text(latency_ratio(point)));
}

std::string stream_head(bool bidirectional) {
  return fmt::format(
      "\n--- stream, {}; client and server: CPU seconds per GB ---\n{:>8}  {:>28}  {:>12}  {:>9} "
      "{:>9}  {:>34}  {:>6}  {:>6}\n",
      bidirectional ? "both ways at once, added" : "client to server", "message", "GB/s",
      "messages/s", "client", "server", "bare GB/s", "x bare", "CPU x");
}

std::string ping_pong_head() {
  return fmt::format(
      "\n--- ping-pong, one channel; half round trip in us ---\n"
      "{:>8}  {:>9} {:>9} {:>9} {:>9}  {:>12}  {:>9}  {:>6}\n",
      "message", "p50", "p99", "p99.9", "max", "messages/s", "bare p50", "x bare");
}

std::string section(const PerfOutcome& outcome, Traffic traffic) {
  std::string lines;
  for (const PerfPoint& point : outcome.points) {
    if (point.traffic != traffic) continue;
    lines += traffic == Traffic::stream ? stream_line(point) : ping_pong_line(point);
  }
  if (lines.empty()) return "";
  return (traffic == Traffic::stream ? stream_head(outcome.bidirectional) : ping_pong_head()) +
         lines;
}

}  // namespace

const char* traffic_name(Traffic traffic) {
  return traffic == Traffic::stream ? "stream" : "ping-pong";
}

std::string table_of(const PerfOutcome& outcome) {
  std::string text =
      header(outcome) + section(outcome, Traffic::stream) + section(outcome, Traffic::ping_pong);
  if (!outcome.error.empty()) text += fmt::format("\nENDED EARLY: {}\n", outcome.error);
  return text;
}

}  // namespace hawser
