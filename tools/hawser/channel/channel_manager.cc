#include "channel/channel_manager.h"

#include <fmt/core.h>

#include "base/log.h"

namespace hawser {
namespace {

std::string key_text(const ChannelKey& key) {
  return fmt::format("GPU {} device {} channel {}", key.gpu, key.device, key.index);
}

void drop_registration(const std::shared_ptr<Comm>& comm, void* registration) {
  const Status dropped = comm->deregister(static_cast<Registration*>(registration));
  if (!dropped.ok()) log_warning("deregistering memory: {}", dropped.error().message());
}

}  // namespace

const NetCapabilities& ChannelManager::capabilities(const ChannelKey& key) const {
  return net_->devices()[static_cast<std::size_t>(key.device)].capabilities;
}

Result<std::unique_ptr<Listener>> ChannelManager::listen(const ChannelKey& key) {
  return net_->listen(key.device);
}

Result<std::shared_ptr<Channel>> ChannelManager::accept(const ChannelKey& key,
                                                        std::unique_ptr<Listener> listener,
                                                        const ChannelOptions& options,
                                                        const WaitBound& bound) {
  std::shared_ptr<ReceiveComm> comm;
  const auto try_accept = [&]() -> Result<bool> {
    HAWSER_ASSIGN(comm, listener->try_accept());
    return comm != nullptr;
  };
  HAWSER_TRY(wait_until(try_accept, bound, "the peer's connection"));
  return keep(key, std::move(comm), options);
}

Result<std::shared_ptr<Channel>> ChannelManager::connect(const ChannelKey& key,
                                                         const Handle& handle,
                                                         const ChannelOptions& options,
                                                         const WaitBound& bound) {
  HAWSER_ASSIGN(const std::unique_ptr<Connector> connector, net_->connect(key.device, handle));
  std::shared_ptr<SendComm> comm;
  const auto try_connect = [&]() -> Result<bool> {
    HAWSER_ASSIGN(comm, connector->try_connect());
    return comm != nullptr;
  };
  HAWSER_TRY(wait_until(try_connect, bound, "the connection"));
  return keep(key, std::move(comm), options);
}

Result<std::shared_ptr<Channel>> ChannelManager::keep(const ChannelKey& key, Channel::AnyComm comm,
                                                      const ChannelOptions& options) {
  HAWSER_ASSIGN(std::shared_ptr<Channel> channel,
                Channel::create(key, std::move(comm), capabilities(key), options));
  const std::lock_guard lock(mutex_);
  if (!channels_.emplace(key, channel).second)
    return Error(Code::invalid_argument, fmt::format("{} exists already", key_text(key)));
  return channel;
}

Result<Registration*> ChannelManager::register_devmem_once(Channel& channel,
                                                           const MemoryRange& memory) {
  HAWSER_ASSIGN(const MemoryRange range, channel.to_register(memory));
  const std::shared_ptr<Comm> comm = channel.comm();
  const bool per_device = capabilities(channel.key()).registration_per_device;
  const auto scope = per_device ? static_cast<RegistrationCache::Scope>(channel.key().device)
                                : reinterpret_cast<RegistrationCache::Scope>(comm.get());
  const auto make = [&comm](const MemoryRange& what) -> Result<void*> {
    HAWSER_ASSIGN(Registration* const made, comm->register_memory(what));
    return static_cast<void*>(made);
  };
  const auto drop = [comm](void* registration) { drop_registration(comm, registration); };
  HAWSER_ASSIGN(RegistrationCache::Lease lease, registrations_.acquire(scope, range, make, drop));
  auto* const registration = static_cast<Registration*>(lease.registration());
  const std::lock_guard lock(mutex_);
  leases_.push_back(std::move(lease));
  return registration;
}

void ChannelManager::close_all() {
  std::map<ChannelKey, std::shared_ptr<Channel>> channels;
  std::vector<RegistrationCache::Lease> leases;
  {
    const std::lock_guard lock(mutex_);
    channels.swap(channels_);
    leases.swap(leases_);
  }
  leases.clear();  // before the comms they were made on
}

std::size_t ChannelManager::channel_count() const {
  const std::lock_guard lock(mutex_);
  return channels_.size();
}

std::size_t ChannelManager::registration_count() const {
  return registrations_.size();
}

}  // namespace hawser
