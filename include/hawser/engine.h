// The engine: what moves memory between this process and others. It owns the transport, the NICs,
// the threads, the links and the registrations; a program has one, or as many as it likes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <hawser/export.h>
#include <hawser/link.h>
#include <hawser/region.h>
#include <hawser/result.h>
#include <hawser/transfer.h>

namespace hawser {

namespace engine {
class AcceptorCore;
class EngineCore;
}  // namespace engine

struct EngineOptions {
  // "builtin", a path or a plugin's name; "" = by the environment, else builtin.
  std::string plugin;
  // NICs that links may use, by name or index; "eth0/192.0.2.7": with that one of its addresses.
  // Empty: all that the transport offers, but loopback and what is no NIC beside one that is.
  std::vector<std::string> devices;
  // "0=eth1,eth2;1=eth3": NICs for some GPUs instead of the nearest ones (LinkOptions::gpu).
  std::string gpu_nic_map;
  // Threads that move data; 0: by the CPUs there are. They follow the NICs' NUMA node.
  int threads = 0;
  // A longer contiguous piece is cut into chunks of this size, of 4 MiB at most; 0: 512
  // KiB, or 1 MiB where there is a CUDA driver.
  std::uint64_t chunk_bytes = 0;
  // A channel on which nothing moves for so long while the peer answers on another one is given up,
  // and what it had goes out on the others.
  int stall_ms = 500;
  // A peer that answers nowhere for so long is gone.
  int peer_silence_ms = 10'000;
  // How soon a channel that went down is tried again; doubles with each failure, to 16 times that.
  int retry_ms = 500;
  // A hosted plugin runs in a process of its own, so that its crash, exit or hang is an error here
  // and nothing else (docs/isolation.md); an error where there is no plugin. false: HAWSER_ISOLATE
  // says.
  bool isolate = false;
  // Of the built-in transport: the ports where data connections come in ("30000-30015"), and the
  // address under which others reach it, behind NAT or forwarded ports ("203.0.113.7",
  // "eth0=203.0.113.7"). Empty: HAWSER_DATA_PORTS and HAWSER_ADVERTISE say.
  std::string data_ports;
  std::string advertise;
};

// Makes links of those who connect to one address. Thread-safe. Closes when destroyed; links it
// made go on.
class HAWSER_API Acceptor {
 public:
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  int port() const;
  // The next link that is up. Code::timeout; Code::cancelled: closed meanwhile. A peer whose
  // channels could not be made costs a log line, and waiting goes on. -1: wait without a bound.
  Result<Link> accept(int timeout_ms = -1);
  std::optional<Link> try_accept();  // never blocks
  void close();

 private:
  friend class Engine;
  explicit Acceptor(std::shared_ptr<engine::AcceptorCore> impl);
  std::shared_ptr<engine::AcceptorCore> impl_;
};

// Thread-safe. Destroying it ends its links, fails what is pending with Code::cancelled, lets the
// callbacks that are due come to their end, and returns within a bounded time, 10 s and a little;
// handles may outlive it, and so may calls of connect() and accept() that other threads are waiting
// in. In a child of fork() it and all handles are of no use: every call fails at once, with
// Code::invalid_argument, and destroying them does nothing. A new engine works there.
class HAWSER_API Engine {
 public:
  // Code::unavailable: no such plugin, or it offers no device; Code::invalid_argument: an option is
  // wrong, or names a device that is not offered.
  static Result<std::unique_ptr<Engine>> create(const EngineOptions& options = {});
  ~Engine();
  // What the destructor does, with an outcome. Code::timeout: a call of the transport's hangs, as a
  // plugin's may. Its thread is left behind, and what it may touch, registered memory included,
  // must stay: the process had best end by _exit(). Or a callback has not returned: those that are
  // due after it are dropped. Of several calls the first one counts. Code::invalid_argument: it was
  // called in one of its own callbacks, and did nothing.
  Status close(int timeout_ms = 10'000);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Host memory, pinned memory or CUDA memory: the driver is asked which. A region of zero bytes
  // is allowed; memory that is not mapped, or not for what peers may do, is invalid_argument.
  Result<Region> register_memory(void* data, std::uint64_t bytes,
                                 Rights rights = Rights::read_write);

  // An address ("0.0.0.0", "::", a host name) and a port; 0: any, see Acceptor::port().
  Result<std::unique_ptr<Acceptor>> listen(const std::string& address, int port,
                                           const LinkOptions& options = {});
  // Waits until the link is up: at most options.timeout_ms, trying again where nobody listens yet,
  // or where a server is being restarted. Code::peer: it refuses, and why. Code::cancelled: the
  // engine is being destroyed, by another thread.
  Result<Link> connect(const std::string& address, int port, const LinkOptions& options = {});

  // Readable when, since the last clear_event(), a transfer has ended, a notification or a link has
  // arrived, or a link has gone down: for poll(2) and event loops. Clear it first, then look. The
  // engine owns it.
  int event_fd();
  void clear_event();

  // The transport and its NICs, in a line for people: "TCP sockets (eth1, eth2)".
  std::string description() const;
  // The names of the NICs that links may use.
  std::vector<std::string> devices() const;

 private:
  friend class engine::EngineCore;
  explicit Engine(std::shared_ptr<engine::EngineCore> impl);
  std::shared_ptr<engine::EngineCore> impl_;
};

}  // namespace hawser
