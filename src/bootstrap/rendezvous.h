// How two sides find each other: the port rule, the server that waits for its real
// client whatever else knocks, and the client that waits for its server.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "bootstrap/wire.h"
#include "control/listener.h"

namespace hawser {

// base + gpu * 8 + channel; Code::invalid_argument where that is no port.
inline constexpr int kPortsPerGpu = 8;
Result<std::uint16_t> channel_port(int base, int gpu, int channel);

// A connection whose handshake is done.
struct Rendezvous {
  std::unique_ptr<control::Line> line;
  wire::Hello hello;  // what the client said
  wire::Plan plan;    // what the server answered
};

// Holds the ports of a GPU's channels (of the first kPortsPerGpu: those behind are the next GPU's).
// The control connection comes in on channel 0's; the others are held so that two servers whose
// ranges overlap find out at once, and whoever connects to one is told which port is right.
// Not thread-safe, but stop() may be called from any thread.
class RendezvousServer {
 public:
  // An IPv4 or IPv6 address, or a host name (then all its addresses); "0.0.0.0" is every interface,
  // "::" too, for IPv4 as well. A busy port is Code::system and names address, port, gpu and
  // channel, and what to do.
  static Result<std::unique_ptr<RendezvousServer>> listen(const std::string& bind_address,
                                                          int port_base, int gpu, int channels);
  ~RendezvousServer();

  // Decides about a Hello: the plan, or the error whose message is sent as Refuse. Called in the
  // thread of accept(), which serves nobody else meanwhile.
  using Decide = std::function<Result<wire::Plan>(const wire::Hello&)>;

  // Waits for a client whose Hello is accepted. Everything else that connects (garbage, silence,
  // HTTP, a wrong version) is closed with one log line, and waiting goes on till the deadline: see
  // control::Listener. After success whoever else is there is refused and the ports are given up:
  // accept() serves one client.
  Result<Rendezvous> accept(const Decide& decide, Deadline deadline);
  void stop();  // makes accept() return Code::cancelled, now and ever after

  const std::string& address() const;  // of the control connection's port: "0.0.0.0:20000"

  static constexpr int kMaxCandidates = control::Listener::kMaxCallers;

 private:
  struct Impl;
  explicit RendezvousServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Connects, says Hello and gets the Plan, as control::call() does. A Refuse (Code::peer) and
// bytes that no hawser sends (Code::protocol) end it.
Result<Rendezvous> rendezvous_connect(const std::string& server_address, int port_base, int gpu,
                                      const wire::Hello& hello, Deadline deadline);

}  // namespace hawser
