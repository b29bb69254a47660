// One per process, by its owner's choice: makes and holds the channels of all GPUs
// and NICs, and registers memory once, however many channels and threads ask.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/wait.h"
#include "channel/channel.h"
#include "memory/registration_cache.h"
#include "net/net.h"

namespace hawser {

// Thread-safe. The program owns it and hands it down; it must outlive every use of its channels.
class ChannelManager {
 public:
  explicit ChannelManager(std::shared_ptr<Net> net) : net_(std::move(net)) {}
  ~ChannelManager() { close_all(); }
  ChannelManager(const ChannelManager&) = delete;
  ChannelManager& operator=(const ChannelManager&) = delete;

  Net& net() { return *net_; }

  // A receiving channel in two steps, so that the handle can travel in between.
  Result<std::unique_ptr<Listener>> listen(const ChannelKey& key);
  Result<std::shared_ptr<Channel>> accept(const ChannelKey& key, std::unique_ptr<Listener> listener,
                                          const ChannelOptions& options, const WaitBound& bound);
  // A sending channel to the listener behind `handle`.
  Result<std::shared_ptr<Channel>> connect(const ChannelKey& key, const Handle& handle,
                                           const ChannelOptions& options, const WaitBound& bound);

  // Registers what `memory` needs on this channel: one registration per (device, range) where
  // the Net's registrations serve a whole device, one per (channel, range) where they serve one
  // connection. It lasts until close_all(), as does the demand that the memory stays.
  Result<Registration*> register_devmem_once(Channel& channel, const MemoryRange& memory);

  // Deregisters everything, then closes every channel. No channel may be in use.
  void close_all();

  std::size_t channel_count() const;
  std::size_t registration_count() const;

 private:
  Result<std::shared_ptr<Channel>> keep(const ChannelKey& key, Channel::AnyComm comm,
                                        const ChannelOptions& options);
  const NetCapabilities& capabilities(const ChannelKey& key) const;

  std::shared_ptr<Net> net_;
  mutable std::mutex mutex_;  // guards the members below; never held across a call of the Net
  std::map<ChannelKey, std::shared_ptr<Channel>> channels_;
  std::vector<RegistrationCache::Lease> leases_;
  RegistrationCache registrations_;
};

}  // namespace hawser
