// The two processes of a measurement: each with an engine, a link and two buffers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <hawser/engine.h>

#include "gpu/gpu.h"
#include "memory/buffer.h"

namespace hawser::bench {

struct Setup {
  std::uint64_t buffer_bytes = 0;
  int channels = 0;
  int threads = 0;
  std::uint64_t chunk_bytes = 0;
  int gpu = -1;  // whose memory; -1: of the host
  int port = 0;  // of the server
};

// One side, ready: its buffers are registered and the other side knows them. Not thread-safe.
class Peer {
 public:
  // The server listens, then says its port to `tell`.
  static Result<std::unique_ptr<Peer>> serve(const Setup& setup, int tell_fd);
  static Result<std::unique_ptr<Peer>> call(const Setup& setup);
  ~Peer();

  Link& link() { return link_; }
  const Region& outgoing() const { return regions_[0]; }
  const RemoteRegion& incoming_there() const { return remote_; }

  // A step of both sides: the notification that the other sends next.
  Status tell(const std::string& text);
  Result<std::string> hear(int timeout_ms = 60'000);

  // Fills what it sends, and compares what it got, which the other side filled by that seed.
  Status fill(std::uint64_t seed);
  Status check(std::uint64_t seed, std::uint64_t bytes);

 private:
  Peer() = default;
  Status open(const Setup& setup);
  Status exchange();

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Acceptor> acceptor_;
  Link link_;
  std::vector<Buffer> buffers_;  // what is sent, what is received
  std::vector<Region> regions_;
  RemoteRegion remote_;
};

}  // namespace hawser::bench
