// What an engine owns: the transport, the threads, the regions, the links.
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <hawser/engine.h>

#include "base/clock.h"
#include "base/fork.h"
#include "engine/callbacks.h"
#include "engine/channels/channel_maker.h"
#include "engine/channels/worker.h"
#include "engine/link_core.h"
#include "engine/nic_choice.h"
#include "engine/operations/transfer_state.h"
#include "engine/peer_limits.h"
#include "engine/reactor.h"
#include "engine/region_table.h"
#include "gpu/gpu.h"
#include "memory/page_file.h"
#include "net/net.h"
#include "setup/transport.h"

namespace hawser::engine {

class AcceptorCore;

// What an engine takes where nobody says: channels of each pair of NICs, of so many pairs; and of a
// longer piece so much at a time.
int default_channels(const Net& net, std::size_t pairs, bool loopback);
std::size_t default_chunk_bytes(bool cuda_driver);

// Thread-safe. Links and their handles share it; shut() ends all of it that moves. A child of
// fork() has a copy that stands for nothing: on that one only inherited() may be called, and it is
// never destroyed.
class EngineCore : public std::enable_shared_from_this<EngineCore> {
 public:
  static Result<std::shared_ptr<EngineCore>> create(const EngineOptions& options);
  // An engine over a transport that is open already, which it shares: what says how to open one is
  // not heeded.
  static Result<std::unique_ptr<Engine>> over(const EngineOptions& options, Transport transport);
  EngineCore(const EngineCore&) = delete;
  EngineCore& operator=(const EngineCore&) = delete;
  ~EngineCore();
  bool inherited() const { return made_.inherited(); }
  // Ends the links, then the threads; once. Callbacks that are due are called first, but where this
  // is one of them. Code::timeout: a call of the transport's hangs in one of the threads, or a
  // callback. That thread is left behind then, and what it may touch, this engine and its Net
  // included, stays for good.
  Status shut(Milliseconds patience = kEnding);

  static constexpr Milliseconds kEnding{10'000};

  Result<std::shared_ptr<LocalRegion>> register_memory(void* data, std::uint64_t bytes,
                                                       Rights rights);
  Result<std::shared_ptr<LinkCore>> connect(const std::string& address, int port,
                                            const LinkOptions& options);
  Result<std::shared_ptr<AcceptorCore>> listen(const std::string& address, int port,
                                               const LinkOptions& options);

  const std::shared_ptr<Net>& net() const { return transport_.net; }
  const RegionTable& regions() const { return regions_; }
  EventBell& bell() { return bell_; }
  Callbacks& callbacks() { return *callbacks_; }
  ChannelMaker& maker() { return *maker_; }
  const wire::Key& key() const { return key_; }
  std::shared_ptr<const NicChoice> nics() const;
  // What there is now: NICs and their addresses come, go and change.
  Result<std::shared_ptr<const NicChoice>> look_at_nics();
  PeerLimits& limits() { return *limits_; }
  // Code::peer: that peer has too much already to get a link of so many channels.
  Status admit(const std::string& peer, std::size_t channels) const;
  std::size_t chunk_bytes() const { return chunk_bytes_; }
  const UnpackOptions& unpack() const { return transport_.unpack; }
  // For copies of small messages, in users' threads; may be null.
  const std::shared_ptr<PageFile>& page_file() const { return page_file_; }
  // For so much of a peer's, on each link.
  const wire::Room& room() const { return room_; }
  // The least busy of those that run near the device.
  Worker& worker_for(int device);
  Milliseconds stall() const { return Milliseconds(options_.stall_ms); }
  Milliseconds retry() const { return Milliseconds(options_.retry_ms); }
  Milliseconds peer_silence() const { return Milliseconds(options_.peer_silence_ms); }
  // Code::unavailable where there is no driver, or no such GPU.
  Result<std::shared_ptr<Gpu>> gpu(int ordinal);
  // For a channel over that device, of a link that serves this GPU (-1: any): the one whose memory
  // it will see most, or null. Where comms are a GPU's, and the link serves any: the NIC's nearest.
  std::shared_ptr<Gpu> gpu_for_channel(int ordinal, int device);
  // How many channels a pair of NICs gets where nobody says, of so many pairs.
  int channels_per_pair(std::size_t pairs, bool loopback) const {
    return default_channels(*net(), pairs, loopback);
  }
  std::string description() const;

  // A link that has been agreed on: it is watched from now on. Code::cancelled: too late.
  Result<std::shared_ptr<LinkCore>> add_link(LinkTerms terms, std::shared_ptr<ControlLine> control);
  // Code::cancelled: shut() has begun.
  Status running() const;
  static Error ended();  // what that says

 private:
  EngineCore(EngineOptions options, Transport transport)
      : options_(std::move(options)), transport_(std::move(transport)) {}
  static Result<std::shared_ptr<EngineCore>> begin(const EngineOptions& options,
                                                   Transport transport,
                                                   std::shared_ptr<const CudaDriver> driver,
                                                   std::shared_ptr<Gpu> gpu);
  Status start();
  Status start_workers();
  Status deregister(const std::shared_ptr<LocalRegion>& region, InFlight in_flight, int timeout_ms);
  Status end_threads(const Deadline& deadline);
  Status end_callbacks(const Deadline& deadline);
  std::vector<std::shared_ptr<LinkCore>> links() const;
  bool has_silent_worker() const;
  void look_for_silent_workers();
  void drain(LocalRegion& region, const Deadline& deadline);
  void end_uses_of(LocalRegion& region, const Deadline& deadline);
  bool forget(const std::shared_ptr<LocalRegion>& region, const Deadline& deadline);

  const ForkMark made_;
  const EngineOptions options_;
  Transport transport_;
  std::shared_ptr<const CudaDriver> driver_;  // null where there is none
  wire::Key key_{};
  std::size_t chunk_bytes_ = 0;
  std::shared_ptr<PageFile> page_file_;
  std::unique_ptr<PeerLimits> limits_;
  wire::Room room_;
  RegionTable regions_;
  EventBell bell_;
  struct NodeWorkers {
    int numa_node = -1;
    std::vector<std::unique_ptr<Worker>> workers;
  };
  std::vector<NodeWorkers> workers_;
  std::unique_ptr<ChannelMaker> maker_;
  std::unique_ptr<Reactor> reactor_;
  std::shared_ptr<Callbacks> callbacks_;
  // Shared: by who uses the threads, which end only when nobody does. Guards shut_. Taken before
  // any other lock; the one below before none but a GPU's.
  mutable std::shared_mutex running_;
  bool shut_ = false;
  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<const NicChoice> nics_;
  std::unordered_map<int, std::shared_ptr<Gpu>> gpus_;
  std::vector<std::weak_ptr<AcceptorCore>> acceptors_;
};

}  // namespace hawser::engine
