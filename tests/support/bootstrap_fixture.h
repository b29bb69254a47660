// What the tests of the control plane share: free port ranges, log capture, raw peers.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "base/log.h"
#include "base/result.h"
#include "bootstrap/rendezvous.h"
#include "bootstrap/session.h"
#include "bootstrap/wire.h"
#include "support/ports.h"
#include "support/wire_decoder.h"

namespace hawser::test {

// A server on ports that were free. Holds the claim on them as long as it lives.
struct ListeningServer {
  std::unique_ptr<PortRange> ports;
  std::unique_ptr<RendezvousServer> server;
  int port_base = 0;
};
ListeningServer listen_somewhere(const std::string& address = "127.0.0.1", int gpu = 0,
                                 int channels = 1);

wire::Hello good_hello();
wire::Plan good_plan();
Result<wire::Plan> agree(const wire::Hello&);

// Keeps the log's lines while it lives, at the level given. One at a time.
class CapturedLog {
 public:
  explicit CapturedLog(LogLevel level = LogLevel::warning);
  ~CapturedLog();
  std::vector<std::string> lines() const;
  int count(const std::string& part) const;
  // Until that many lines have `part` in them.
  bool wait_for(const std::string& part, std::chrono::milliseconds timeout, int lines = 1) const;

 private:
  int count_locked(const std::string& part) const;

  LogLevel before_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<std::string> lines_;
};

// accept() in a thread of its own.
class Accepting {
 public:
  Accepting(RendezvousServer& server, RendezvousServer::Decide decide,
            std::chrono::milliseconds timeout);
  ~Accepting();
  Result<Rendezvous>& result();  // waits for it

 private:
  RendezvousServer& server_;
  std::optional<Result<Rendezvous>> result_;
  std::thread thread_;
};

// A peer that does as the test says, byte by byte. The socket is a blocking one.
class RawPeer {
 public:
  static RawPeer connect(const std::string& address, int port);
  explicit RawPeer(UniqueFd socket) : socket_(std::move(socket)) {}

  bool send(std::span<const std::byte> bytes);
  bool send(const std::string& text);
  // The next message, or nothing when the other side closes, resets or takes too long.
  std::optional<wire::Message> receive();
  bool closed_by_peer();  // waits for the end
  void reset();           // closes with an RST
  void close() { socket_.reset(); }
  int fd() const { return socket_.get(); }
  UniqueFd release() { return std::move(socket_); }

 private:
  UniqueFd socket_;
  WireDecoder decoder_;
};

// What a session takes of a socket whose handshake is done.
std::unique_ptr<control::Line> line_of(UniqueFd socket, std::vector<std::byte> unread = {});

// Two connected TCP sockets on 127.0.0.1.
std::pair<UniqueFd, UniqueFd> connected_pair();

int open_descriptors();  // of this process

}  // namespace hawser::test
