// What a validation found out, as plain values: the report and the JSON are made from these.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <hawser/validate.h>

#include "base/result.h"
#include "memory/range.h"
#include "net/net.h"

namespace hawser {

// A step of a channel's life, under the name that the page's report gives it.
enum class Operation { listen, accept, connect, reg_mr, transfer, verify, peer, stuck };

// "tcpx_reg_mr": what "<...> failed" is printed with.
const char* operation_name(Operation operation, Role role);

struct ChannelFailure {
  Operation operation = Operation::peer;
  Error error{Code::internal, ""};
};

// How one step of a channel ended.
struct ChannelStep {
  bool done = false;  // this side's part; the other side's may still have failed
  std::optional<ChannelFailure> failure;
};

struct ChannelOutcome {
  bool created = false;      // this side
  bool up = false;           // both sides
  bool transferred = false;  // this side: every byte, verified where we receive
  std::optional<ChannelFailure> failure;
  bool ok() const { return up && transferred && !failure; }
};

// One pass over all channels.
struct PassOutcome {
  bool serialized = false;
  std::vector<ChannelOutcome> channels;
  bool peer_lost = false;  // the other side, or the control connection to it
  std::string peer_lost_reason;

  int succeeded() const;
  bool passed() const {
    return !channels.empty() && succeeded() == static_cast<int>(channels.size());
  }
  bool creation_failed() const;
};

// What was under test: enough for the report to tell the truth about it.
struct Subject {
  Role role = Role::server;
  int gpu = 0;
  int device_index = 0;
  NetDevice device;
  int device_count = 0;
  int channels = 0;
  std::uint64_t bytes = 0;
  int iterations = 1;
  std::uint64_t chunk_bytes = 0;
  MemoryKind memory = MemoryKind::host;
  std::string memory_name;  // "host memory", "GPU 0 (NVIDIA H200)"
  std::string unpack;       // how receives reached their place; see Environment::unpack
  std::string transport;    // Net::name()
  std::string transport_description;
  bool isolated = false;  // a plugin in a process of its own
};

struct Outcome {
  Subject subject;
  PassOutcome first;
  std::optional<PassOutcome> retry;  // serialised, after concurrent creation failed
};

}  // namespace hawser
