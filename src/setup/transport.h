// The transport that a user chose, opened.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "gpu/gpu.h"
#include "net/hosted/call_journal.h"
#include "net/net.h"
#include "net/unpack/unpacker.h"
#include "setup/tcpx_report.h"

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

// What a user chose of a transport.
struct TransportChoice {
  std::string plugin;  // "builtin"; a path or name; "": what the environment names, else that
  std::size_t chunk_bytes = 0;  // 0: the default
  int sockets = 0;              // of a builtin channel, at most; 0: as the environment says
  std::string peer;             // the machine that will be connected to, where that is known
  // The plugin in a process of its own, and an error where there is no plugin; else as
  // HAWSER_ISOLATE says.
  bool isolate = false;
  // Of the builtin one: HAWSER_DATA_PORTS and HAWSER_ADVERTISE, where not empty.
  std::string data_ports;
  std::string advertise;
};

// `gpu` may be null. Calls into a plugin are noted in `journal`. The set-up of a TCPX plugin is
// checked before its init(): what is wrong with it is one error.
Result<Transport> open_transport(const TransportChoice& choice, std::shared_ptr<Gpu> gpu,
                                 std::shared_ptr<CallJournal> journal);

// "stuck in regMr(...) ..." for each call in progress; without any, that it is not known where.
std::string stuck_text(const CallJournal& journal);

}  // namespace hawser
