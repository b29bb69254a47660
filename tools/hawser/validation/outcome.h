// What a validation found out, as plain values: the report and the JSON are made from these.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "bootstrap/wire.h"
#include "memory/range.h"
#include "net/net.h"
#include "validation/validate.h"

namespace hawser {

using wire::Operation;

// "tcpx_reg_mr": what "<...> failed" is printed with.
const char* operation_name(Operation operation, Role role);

struct ChannelFailure {
  Operation operation = Operation::peer;
  Error error{Code::internal, ""};
};

// "tcpx_reg_mr failed: REASON", the same on both sides: what the other one is told, too.
std::string failure_text(const ChannelFailure& failure, Role role);

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
  // What the other side said of its own part; its message is a failure_text().
  std::optional<ChannelFailure> peer_failure;
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
  std::optional<Error> not_run;  // no channel was tried
  PassOutcome first;
  std::optional<PassOutcome> retry;  // serialised, after concurrent creation failed
  std::optional<PassOutcome> alone;  // one channel, after a failure of several
  std::string alone_missing;         // why there is none, where there ought to be
};

}  // namespace hawser
