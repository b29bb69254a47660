// The single-process node: one process per machine that owns all GPUs, all NICs and all channels,
// and moves verified data between each of its GPUs and the same GPU of one peer. docs/node.md.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "side/choices.h"

namespace hawser {

enum class NodeDirection {
  forward,  // from the client's GPUs to the server's
  both,     // that, and back at the same time
};

struct NodeOptions {
  Role role = Role::server;
  std::string address = "0.0.0.0";  // server: where to listen; client: the server's address or name
  int port_base =
      0;         // port of a GPU's link = port_base + gpu * 8; 0 = HAWSER_PORT_BASE, else 20000
  int gpus = 0;  // the first so many, the same number on both sides; 0: all there are
  MemoryChoice memory = MemoryChoice::automatic;  // host: devices are played in host memory
  std::vector<std::string> devices;               // NICs, by name or index; empty: all
  std::string gpu_nic_map;  // "0=eth1,eth2;1=eth3": NICs for some GPUs, instead of the nearest
  int channels = 0;         // per pair of NICs of a GPU's link; 0: as the engine thinks best
  std::uint64_t chunk_bytes = 0;  // a longer piece is cut; 0: the engine's
  std::string plugin;             // as ValidateOptions::plugin
  int timeout_ms = 30'000;        // for reaching the peer, and how long nothing may move on a link
  bool isolate = false;           // as ValidateOptions::isolate

  // From here on the server's options rule on both sides.
  std::uint64_t bytes = 16'777'216;  // per GPU, direction and iteration
  std::uint64_t iterations = 10;
  int duration_ms = 0;  // instead of `iterations`, where not 0
  NodeDirection direction = NodeDirection::forward;
  bool verify = true;  // every byte of every iteration
};

// A program's exit status, too.
enum class NodeStatus {
  passed = 0,         // every GPU, on both sides, and the accounts agree
  failed = 1,         // the report says which GPUs, and why
  bad_options = 2,    // an option is out of range
  could_not_run = 3,  // no peer, no GPU, no such device, no plugin, a busy port ...
};

struct NodeResult {
  NodeStatus status = NodeStatus::could_not_run;
  std::string text;  // the report, for people; empty where no GPU was tried
  std::string json;  // the same as one JSON object
  // A call never came back in time and its thread was left behind: end the process with _exit().
  bool threads_abandoned = false;
};

// All are called from the calling thread, lines without a newline; an empty one is not called.
struct NodeOutput {
  std::function<void(std::string_view line)> note;      // choices, reasons, what is waited for
  std::function<void(std::string_view line)> progress;  // where the run is, now
  int progress_ms = 1000;                               // how often `progress` is called
  // Asked several times a second. True: end early, and report what was done.
  std::function<bool()> interrupted;
};

// Runs one side, to its end; needs the other side somewhere. Several may run at a time in a
// process. Calls into a hosted plugin.
NodeResult run_node(const NodeOptions& options, const NodeOutput& output);

}  // namespace hawser
