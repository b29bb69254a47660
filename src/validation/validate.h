// The devmem validation: can ONE process use several channels on one NIC, created concurrently,
// with this transport, moving verified data to and from this memory?
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "side/choices.h"

namespace hawser {

struct ValidateOptions {
  Role role = Role::server;
  std::string address = "0.0.0.0";  // server: where to listen; client: the server's address or name
  int gpu = 0;                      // of this side; without GPUs still the number in the port rule
  int peer_gpu = -1;                // client: the server's gpu; -1 = the same number
  std::string device = "0";         // the transport's device, by index or name
  int channels = 4;                 // the server's count rules; the client uses what it is given
  std::uint64_t bytes = 16'777'216;  // per channel; the server's count rules
  int iterations = 1;                // transfers per channel; the server's count rules
  std::uint64_t chunk_bytes = 0;     // per request; 0 = 512 KiB or the transport's limit
  MemoryChoice memory = MemoryChoice::automatic;
  std::string
      plugin;  // "builtin", a path or a plugin's name; "" = by the environment, else builtin
  int timeout_ms = 30'000;  // bound on every step: waiting for the peer, creation, each transfer
  int port_base =
      0;  // port of a channel = port_base + gpu * 8 + channel; 0 = HAWSER_PORT_BASE, else 20000
  bool serialize_create = false;  // make the channels one at a time
  // A hosted plugin runs in a process of its own, so that its crash, exit or hang is an error here
  // and nothing else (docs/isolation.md); an error where there is no plugin. false: HAWSER_ISOLATE
  // says.
  bool isolate = false;
};

// A program's exit status, too.
enum class ValidateStatus {
  passed = 0,         // every channel, on both sides
  failed = 1,         // the report says which channels, and why
  bad_options = 2,    // an option is out of range
  could_not_run = 3,  // no peer, no such device, no plugin, a busy port ...
};

struct ValidateResult {
  ValidateStatus status = ValidateStatus::could_not_run;
  std::string json;  // the whole outcome as one JSON object (docs/report.md)
  // A plugin's call never came back and its thread was left behind: end the process with
  // _exit(), since no destructor can run safely.
  bool threads_abandoned = false;
};

// Both are called from the calling thread, a line at a time, without a newline.
struct ValidateOutput {
  std::function<void(std::string_view line)> report;  // the report of the page, as it comes
  std::function<void(std::string_view line)> note;    // reasons, choices, what is being waited for
};

// Runs one side, to its end; needs the other side somewhere. Returns within a small multiple of
// timeout_ms. One call at a time in a process. Calls into a hosted plugin, which may do
// anything: it may even end the process, and hawser then says in which call.
ValidateResult validate(const ValidateOptions& options, const ValidateOutput& output);

}  // namespace hawser
