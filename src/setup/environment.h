// What a run stands on: the transport, its device, and where the memory is.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <hawser/choices.h>

#include "base/result.h"
#include "gpu/gpu.h"
#include "memory/buffer.h"
#include "net/call_journal.h"
#include "net/net.h"
#include "setup/tcpx_report.h"
#include "unpack/unpacker.h"

namespace hawser {

// A transport that was opened, and why this one.
struct Transport {
  std::shared_ptr<Net> net;
  std::shared_ptr<CallJournal> journal;  // of calls into a hosted plugin
  std::string why;
  std::optional<TcpxReport> tcpx;  // what was checked, where it is a TCPX plugin
  bool isolated = false;           // the plugin is in a process of its own
  // For receives of devices that need it.
  UnpackOptions unpack{UnpackMode::automatic, std::make_shared<UnpackUse>()};

  // How receives of a device get to their place: "placed" (by the transport), or the unpack mode
  // that ran; the one that was asked for before anything was received.
  std::string unpack_text(int device) const;
  // The mode `none`: what is received is not there, and cannot be verified.
  bool leaves_data_out(int device) const;

 private:
  bool needs_unpack(int device) const {
    return net->devices()[static_cast<std::size_t>(device)].capabilities.needs_unpack;
  }
};

// By the name that options give a plugin: "builtin"; a path or name; "" = what the environment
// names, else builtin. `gpu` may be null. `sockets` of a channel, at most, are for the builtin one;
// 0 = as the environment says. `chunk_bytes` 0 = the default. Calls into a plugin are noted in
// `journal`. `peer`, where it is known, is the machine that will be connected to. The set-up of a
// TCPX plugin is checked before its init(): what is wrong with it is one error. `isolate`: the
// plugin in a process of its own, and an error where there is no plugin; else as HAWSER_ISOLATE
// says.
Result<Transport> open_transport(const std::string& plugin, std::shared_ptr<Gpu> gpu,
                                 std::size_t chunk_bytes, std::shared_ptr<CallJournal> journal,
                                 int sockets = 0, const std::string& peer = "",
                                 bool isolate = false);

// The GPU for `choice`: null for host memory, and, with `automatic`, where there is no usable
// driver; `why` is told in that case.
Result<std::shared_ptr<Gpu>> open_gpu(MemoryChoice choice, int ordinal, std::string& why);

// "stuck in regMr(...) ..." for each call in progress; without any, that it is not known where.
std::string stuck_text(const CallJournal& journal);

struct Environment {
  Transport transport;
  int device = 0;
  std::shared_ptr<Gpu> gpu;  // null where there is none, or none is wanted
  MemoryKind memory = MemoryKind::host;
  std::string memory_name;  // "host memory (no usable GPU: ...)", "GPU 0 (NVIDIA H200)"

  const NetDevice& net_device() const {
    return transport.net->devices()[static_cast<std::size_t>(device)];
  }
  Result<Buffer> allocate(std::size_t bytes) const;
  // As Transport has them, of this device.
  std::string unpack() const { return transport.unpack_text(device); }
  bool leaves_data_out() const { return transport.leaves_data_out(device); }
};

// What a user chose of it.
struct EnvironmentChoice {
  std::string plugin;        // as for open_transport
  std::string device = "0";  // by index or name
  MemoryChoice memory = MemoryChoice::automatic;
  int gpu = 0;
  std::size_t chunk_bytes = 0;
  int sockets = 0;       // as for open_transport
  std::string peer;      // the same
  bool isolate = false;  // the same
};

Result<Environment> open_environment(const EnvironmentChoice& choice,
                                     std::shared_ptr<CallJournal> journal);

}  // namespace hawser
