// What a node has done, as plain values: every report is made from these.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <hawser/link.h>

#include "base/result.h"
#include "machine/nic_counters.h"
#include "node/lane.h"
#include "node/message.h"
#include "node/node.h"

namespace hawser::node {

// Data of a link, as the program knows it, in bytes.
struct Volume {
  std::uint64_t asked = 0;     // to be sent
  std::uint64_t sent = 0;      // of these, applied at the peer
  std::uint64_t received = 0;  // that the peer has said to be here
};

// One GPU and its link.
struct GpuOutcome {
  int gpu = 0;
  std::string name;            // "NVIDIA H200", "played device"
  bool met = false;            // the peer, and both agreed on what to do
  bool exact = false;          // the link ended in order: its accounts must agree to the byte
  std::optional<Error> error;  // of this side, or what the peer says of its side
  bool error_there = false;
  bool interrupted = false;  // on either side
  LaneCount sent;
  LaneCount received;
  Volume volume;
  LinkReport link;     // as it was when all had been moved
  double start_s = 0;  // since the run's start
  double end_s = 0;

  bool passed() const { return met && !error; }
  double seconds() const { return end_s - start_s; }
};

// By NIC, since the run's start.
using KernelCounts = std::map<std::string, NicCounters>;

struct NodeOutcome {
  Role role = Role::server;
  std::string host;
  std::string peer_host;     // empty: met nobody
  std::string transport;     // Engine::description()
  std::string devices;       // Places::words
  bool played = false;       // Places::played
  std::string peer_memory;   // "GPU memory", "host memory"
  Terms terms;               // as agreed
  bool interrupted = false;  // on either side
  std::vector<GpuOutcome> gpus;
  KernelCounts kernel;  // none where nothing went over a NIC, or it is not known
};

}  // namespace hawser::node
