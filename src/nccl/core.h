// The core that every exported ABI version stands on: the Net, its devices, and the connections
// that are being made.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/fork.h"
#include "base/result.h"
#include "nccl/receive_comm.h"
#include "nccl/send_comm.h"
#include "net/net.h"

namespace hawser::plugin {

// What listen made. Not thread-safe; different ones may be used by different threads.
class PluginListenComm {
 public:
  PluginListenComm(NcclLog::Key log, std::shared_ptr<Net> net, int device,
                   std::unique_ptr<Listener> listener)
      : log_(log), net_(std::move(net)), device_(device), listener_(std::move(listener)) {}

  NcclLog::Key log() const { return log_; }
  // As PluginComm's.
  bool inherited() const { return made_.inherited(); }
  const Handle& handle() const { return listener_->handle(); }
  // nullptr: not yet, call again. What it gives outlives the listen comm.
  Result<std::unique_ptr<PluginReceiveComm>> try_accept();

 private:
  const NcclLog::Key log_;
  const ForkMark made_;
  const std::shared_ptr<Net> net_;
  const int device_;
  const std::unique_ptr<Listener> listener_;
};

// Thread-safe. What it makes keeps the Net alive, and may outlive the core.
class Core {
 public:
  // As the parameters say. Unless interfaces are named, NCCL's own order of preference decides.
  static Result<std::shared_ptr<Core>> make();

  explicit Core(std::unique_ptr<Net> net) : net_(std::move(net)) {}

  // The interfaces, and behind them the devices that join several of them.
  std::size_t device_count() const;
  struct Device {
    NetDevice net;
    std::vector<int> members;  // its own index, or those of the interfaces it joins
  };
  Result<Device> device(int index) const;
  // One more device. Members without a PCI path of their own, or of different NUMA nodes, are
  // refused: NCCL would lose the joined device (docs/nccl-plugin.md).
  Result<int> join(std::span<const int> members);

  Result<std::unique_ptr<PluginListenComm>> listen(NcclLog::Key log, int device);
  // One step of a connection: nullptr means call again, with the same buffer, whose address and
  // content are how the connection is known again.
  Result<std::unique_ptr<PluginSendComm>> connect(NcclLog::Key log, int device,
                                                  const std::byte* handle_buffer);

 private:
  // A caller that gives up does not say so: connections nobody asked for in this time are dropped
  // when their number next doubles.
  static constexpr Milliseconds kAbandonedAfter{600'000};
  static constexpr std::size_t kFirstSweepAt = 64;

  struct ConnectKey {
    const std::byte* buffer;
    int device;
    Handle handle;
    auto operator<=>(const ConnectKey&) const = default;
  };
  struct PendingConnect {
    std::unique_ptr<Connector> connector;
    Deadline abandoned;
  };

  Status check_member(int index, const NetDevice& first) const;
  Result<std::unique_ptr<Connector>> take_connector(const ConnectKey& key);
  void keep_connector(const ConnectKey& key, std::unique_ptr<Connector> connector);
  void sweep();

  const std::shared_ptr<Net> net_;
  mutable std::mutex mutex_;    // guards what follows; not held while a connector works
  std::vector<Device> joined_;  // as the Net counts them
  std::map<ConnectKey, PendingConnect> pending_;
  std::size_t sweep_at_ = kFirstSweepAt;
};

}  // namespace hawser::plugin
