// What was measured, as plain values; every report is made from these.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "perf/histogram.h"

namespace hawser {

// One repeat.
struct Sample {
  std::uint64_t elapsed_ns = 0;  // on the client
  std::uint64_t client_cpu_ns = 0;
  std::uint64_t server_cpu_ns = 0;
};

// Repeats of the same work. For ping-pong a message is a round trip's one way: two per round trip.
struct Series {
  std::string how;                   // for bare sockets: "blocking", "polling"
  std::uint64_t bytes_moved = 0;     // per repeat, all channels and both ways
  std::uint64_t messages_moved = 0;  // likewise
  std::vector<Sample> samples;
  LatencyHistogram round_trip_ns;  // of all repeats; empty for streams
};

enum class Traffic { stream, ping_pong };

// One line of the report.
struct PerfPoint {
  Traffic traffic = Traffic::stream;
  std::uint64_t bytes = 0;  // of a message
  Series transport;
  std::optional<Series> bare;  // the faster way of driving sockets
};

struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};

// Of nothing: zeros. Of an even number: the mean of the middle two.
Spread spread_of(std::vector<double> values);

Spread gigabytes_per_second(const Series& series);
Spread messages_per_second(const Series& series);
// CPU seconds per 10^9 bytes moved.
Spread client_cpu_per_gigabyte(const Series& series);
Spread server_cpu_per_gigabyte(const Series& series);
// The transport's median over the bare sockets'; nothing without a reference.
std::optional<double> bandwidth_ratio(const PerfPoint& point);
std::optional<double> latency_ratio(const PerfPoint& point);  // of the medians of half round trips
std::optional<double> cpu_ratio(const PerfPoint& point);      // both sides together

// Everything the reports tell.
struct PerfOutcome {
  std::string over = "link";          // what was measured: "link", "net"
  std::string transport;              // Net::name()
  std::string transport_description;  // and where it came from
  std::string server_host;            // machine and path, in words
  std::string client_host;
  int channels = 1;
  int window = 0;
  std::uint64_t chunk_bytes = 0;
  std::uint64_t ring_bytes = 0;
  bool bidirectional = false;
  int repeats = 0;
  int duration_ms = 0;
  std::string idle;  // "yield"
  int bare_sockets = 0;
  std::string bare_congestion;  // of the client's bare sockets
  std::vector<PerfPoint> points;
  std::string error;  // why it ended early; empty: it did not
};

}  // namespace hawser
