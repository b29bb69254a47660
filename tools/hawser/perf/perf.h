// How fast is the path: bandwidth, latency and CPU cost by message size, beside what bare sockets
// do on the same machines in the same run. docs/perf.md says what each figure means.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "side/side.h"

namespace hawser {

enum class PerfMode { stream, ping_pong, both };

// What is measured.
enum class PerfOver {
  link,  // what users of the transfer API have: an engine's link, over all its channels
  net,   // the transport alone: its messages, channel by channel
};

// What a polling thread does when it finds nothing to do.
enum class PerfIdle {
  spin,   // polls again at once
  yield,  // spins a little, then offers its core to others between polls
  sleep,  // yields a little, then sleeps for 20 µs to 1 ms between polls
};

// Control port = port_base + gpu * 8; 0, server: any free one. chunk_bytes: 0 is as much as both
// transports take. A step is also a repeat with its verification. The client chooses what is
// measured, and has the report.
struct PerfOptions : OneDeviceOptions {
  PerfOptions() {
    port_base = 20'000;
    memory = MemoryChoice::host;
  }

  std::string cpus;  // "0-3,8": this process stays on these; "": wherever it may run
  // Of this side. Over a net: that poll the channels, 0 is one; over a link: the engine's, 0 is as
  // many as it thinks best.
  int threads = 0;
  std::string bare_congestion;  // of this side's bare sockets; "": the transport's where known
  // Of one channel of the built-in transport, at most, on this side; the smaller number of both
  // sides counts. 0: as HAWSER_SOCKETS_PER_CHANNEL says.
  int sockets = 0;

  // From here on the client's choice rules on both sides.
  std::vector<std::uint64_t> sizes;  // of a message; empty: perf_default_sizes()
  PerfOver over = PerfOver::link;
  PerfMode mode = PerfMode::both;
  bool bidirectional = false;            // streams go both ways at once
  int channels = 0;                      // 0: one; over a link: as many as an engine thinks best
  int window = 0;                        // requests in flight per channel; 0: as many as help
  std::uint64_t ring_bytes = 2'097'152;  // of buffers that a channel's messages go round
  int repeats = 5;
  int duration_ms = 200;          // of one repeat, about
  std::uint64_t bytes_limit = 0;  // per channel and repeat, at least one message; 0: none
  PerfIdle idle = PerfIdle::yield;
  int bare_sockets = -1;  // each with its thread; -1: as many as the channels may have; 0: none
};

// Runs one side, to its end; needs the other side somewhere. While it runs, the calling thread
// and those it starts stay on PerfOptions::cpus. One call at a time in a process. Calls into a
// hosted plugin.
SideResult perf(const PerfOptions& options, const SideOutput& output);

std::vector<std::uint64_t> perf_default_sizes();

// "8,64,4K,1M,1G" -> bytes. False, and `error` says why, for anything else, and beyond 8 B to 1
// GiB.
bool parse_perf_sizes(std::string_view text, std::vector<std::uint64_t>& sizes, std::string& error);

// The CPUs that this thread may use, as two lists of whole cores of about equal size, so that two
// sides on one machine share no core. Both empty where there is only one core.
struct CpuHalves {
  std::string first;
  std::string second;
};
CpuHalves halve_cpus();

// What perf() reports as JSON -> a picture of bandwidth by size, with the bare-socket ceiling.
struct PerfPlot {
  bool ok = false;
  std::string text;  // SVG; where not ok, the error
};
PerfPlot plot_perf(std::string_view json);

}  // namespace hawser
