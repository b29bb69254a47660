// One side of a run, whatever the command: what it was asked, what it says, and what came of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "side/choices.h"

namespace hawser {

// What validate, node and perf are all asked. A value.
struct SideOptions {
  Role role = Role::server;
  std::string address = "0.0.0.0";  // server: where to listen; client: the server's address or name
  int port_base = 0;                // 0: HAWSER_PORT_BASE, else 20000
  MemoryChoice memory = MemoryChoice::automatic;
  std::uint64_t chunk_bytes = 0;  // per request; 0: as the command thinks best
  std::string plugin;  // "builtin", a path or a plugin's name; "": by the environment, else builtin
  // A hosted plugin runs in a process of its own, so that its crash, exit or hang is an error here
  // and nothing else (docs/isolation.md); an error where there is no plugin. false: HAWSER_ISOLATE
  // says.
  bool isolate = false;
  std::string data_ports;
  std::string advertise;
  int timeout_ms = 30'000;  // bound on every step
};

// Of commands that use one device of the transport, and one GPU.
struct OneDeviceOptions : SideOptions {
  int gpu = 0;               // of this side; without GPUs still the number in the port rule
  int peer_gpu = -1;         // client: the server's gpu; -1 = the same number
  std::string device = "0";  // the transport's device, by index or name

  int target_gpu() const { return peer_gpu < 0 ? gpu : peer_gpu; }
};

// A program's exit status, too.
enum class RunStatus {
  passed = 0,         // on both sides
  failed = 1,         // the report says what, and why
  bad_options = 2,    // an option is out of range
  could_not_run = 3,  // no peer, no such device, no plugin, a busy port ...
};

struct SideResult {
  RunStatus status = RunStatus::could_not_run;
  std::string
      text;  // the report, for people; empty where it was given line by line, or there is none
  std::string json;  // the same as one JSON object; empty where nothing was tried
  std::string csv;   // of commands that measure
  // A call never came back in time and its thread was left behind: end the process with _exit(),
  // since no destructor can run safely.
  bool threads_abandoned = false;
};

// All are called from the calling thread, lines without a newline; an empty one is not called.
struct SideOutput {
  std::function<void(std::string_view line)> report;    // the report, as it comes
  std::function<void(std::string_view line)> note;      // choices, reasons, what is waited for
  std::function<void(std::string_view line)> progress;  // where the run is, now
  int progress_ms = 1000;                        // how often, of a run that does not say when
  std::function<void(int port_base)> listening;  // a server: it can be connected to
  // Asked several times a second. True: end early, and report what was done.
  std::function<bool()> interrupted;
};

}  // namespace hawser
