// How fast is the path: bandwidth, latency and CPU cost by message size, beside what bare sockets
// do on the same machines in the same run. docs/perf.md says what each figure means.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "side/choices.h"

namespace hawser {

enum class PerfMode { stream, ping_pong, both };

// What a polling thread does when it finds nothing to do.
enum class PerfIdle {
  spin,   // polls again at once
  yield,  // spins a little, then offers its core to others between polls
  sleep,  // yields a little, then sleeps for 20 µs to 1 ms between polls
};

struct PerfOptions {
  Role role = Role::server;         // the client chooses what is measured, and has the report
  std::string address = "0.0.0.0";  // server: where to listen; client: the server's address or name
  int port_base = 20'000;           // control port = port_base + gpu * 8; 0, server: any free one
  int gpu = 0;                      // of this side; without GPUs still the number in the port rule
  int peer_gpu = -1;                // client: the server's gpu; -1 = the same number
  std::string device = "0";         // the transport's device, by index or name
  std::string plugin;               // as ValidateOptions::plugin
  MemoryChoice memory = MemoryChoice::host;
  std::string cpus;               // "0-3,8": this process stays on these; "": wherever it may run
  int threads = 1;                // of this side, that poll the channels
  int timeout_ms = 30'000;        // bound on every step, a repeat with its verification included
  std::string bare_congestion;    // of this side's bare sockets; "": the transport's where known
  std::uint64_t chunk_bytes = 0;  // per request; 0: as much as both transports take
  // Of one channel of the built-in transport, at most, on this side; the smaller number of both
  // sides counts. 0: as HAWSER_SOCKETS_PER_CHANNEL says.
  int sockets = 0;
  bool isolate = false;  // as ValidateOptions::isolate

  // From here on the client's choice rules on both sides.
  std::vector<std::uint64_t> sizes;  // of a message; empty: perf_default_sizes()
  PerfMode mode = PerfMode::both;
  bool bidirectional = false;  // streams go both ways at once
  int channels = 1;
  int window = 0;                        // requests in flight per channel; 0: the transport's most
  std::uint64_t ring_bytes = 2'097'152;  // of buffers that a channel's messages go round
  int repeats = 5;
  int duration_ms = 200;          // of one repeat, about
  std::uint64_t bytes_limit = 0;  // per channel and repeat, at least one message; 0: none
  PerfIdle idle = PerfIdle::yield;
  int bare_sockets = -1;  // each with its thread; -1: as many as the channels may have; 0: none
};

// A program's exit status, too.
enum class PerfStatus {
  measured = 0,       // every byte was verified
  failed = 1,         // wrong bytes, or an error in the middle: what was measured is reported
  bad_options = 2,    // an option is out of range
  could_not_run = 3,  // no peer, no such device, no plugin, a busy port ...
};

// Of the client; a server has a status only.
struct PerfReport {
  PerfStatus status = PerfStatus::could_not_run;
  std::string table;  // for people, header included
  std::string csv;
  std::string json;
  // As in ValidateResult: end the process with _exit().
  bool threads_abandoned = false;
};

// All are called from the calling thread; an empty one is not called.
struct PerfOutput {
  std::function<void(std::string_view line)> note;      // choices, reasons, errors
  std::function<void(std::string_view line)> progress;  // where the run is
  std::function<void(int port_base)> listening;         // server: it can be connected to
};

// Runs one side, to its end; needs the other side somewhere. While it runs, the calling thread
// and those it starts stay on PerfOptions::cpus. One call at a time in a process. Calls into a
// hosted plugin.
PerfReport perf(const PerfOptions& options, const PerfOutput& output);

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

// PerfReport::json -> a picture of bandwidth by size, with the bare-socket ceiling.
struct PerfPlot {
  bool ok = false;
  std::string text;  // SVG; where not ok, the error
};
PerfPlot plot_perf(std::string_view json);

}  // namespace hawser
