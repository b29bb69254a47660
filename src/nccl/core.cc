#include "nccl/core.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "net/tcp/tcp_net.h"

namespace hawser::plugin {
namespace {

// Where nobody names interfaces, NCCL takes the first of these sets that is not empty.
constexpr const char* kPreferences[] = {"ib", "^docker,lo", "docker", "=lo"};

Result<std::unique_ptr<Net>> make_preferred_net(TcpOptions options) {
  if (!options.interfaces.names.empty()) return make_tcp_net(options);
  options.interfaces.names_setting = "by default";
  options.interfaces.best_kind = true;
  Result<std::unique_ptr<Net>> net = Error(Code::internal, "no preference");
  for (const char* names : kPreferences) {
    options.interfaces.names = names;
    net = make_tcp_net(options);
    if (net.ok() || net.error().code() != Code::unavailable) return net;
  }
  return net;
}

std::string device_list(const Net& net) {
  std::string text;
  for (std::size_t i = 0; i < net.devices().size(); ++i) {
    const NetDevice& device = net.devices()[i];
    text += fmt::format("{}[{}]{}:{} ({} Mb/s)", i == 0 ? "" : " ", i, device.name, device.address,
                        device.speed_mbps);
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<PluginReceiveComm>> PluginListenComm::try_accept() {
  HAWSER_ASSIGN(auto comm, listener_->try_accept());
  if (comm == nullptr) return std::unique_ptr<PluginReceiveComm>();
  return std::make_unique<PluginReceiveComm>(log_, net_, device_, std::move(comm));
}

Result<std::shared_ptr<Core>> Core::make() {
  HAWSER_ASSIGN(const TcpOptions options, TcpOptions::from_environment());
  HAWSER_ASSIGN(auto net, make_preferred_net(options));
  log_info("{}: using {}", net->description(), device_list(*net));
  return std::make_shared<Core>(std::move(net));
}

std::size_t Core::device_count() const {
  const std::lock_guard lock(mutex_);
  return net_->devices().size() + joined_.size();
}

Result<Core::Device> Core::device(int index) const {
  const std::lock_guard lock(mutex_);
  const std::size_t interfaces = net_->devices().size();
  const auto at = static_cast<std::size_t>(index);
  if (index >= 0 && at < interfaces) return Device{net_->devices()[at], {index}};
  if (index >= 0 && at < interfaces + joined_.size()) return joined_[at - interfaces];
  return Error(Code::invalid_argument,
               fmt::format("no device {}: there are {}", index, interfaces + joined_.size()));
}

Result<int> Core::join(std::span<const int> members) {
  for (const int index : members) {
    HAWSER_ASSIGN(const Device first, device(members.front()));
    HAWSER_TRY(check_member(index, first.net));
  }
  const std::lock_guard lock(mutex_);
  HAWSER_ASSIGN(NetDevice made, net_->join(members));
  log_info("{} is one device over {} interfaces", made.name, members.size());
  joined_.push_back({std::move(made), {members.begin(), members.end()}});
  return static_cast<int>(net_->devices().size() + joined_.size()) - 1;
}

Status Core::check_member(int index, const NetDevice& first) const {
  HAWSER_ASSIGN(const Device member, device(index));
  if (member.net.pci_path.empty())
    return Error(Code::unavailable,
                 fmt::format("{} has no PCI path: NCCL cannot place a device that joins it",
                             member.net.name));
  if (member.net.numa_node != first.numa_node)
    return Error(Code::unavailable,
                 fmt::format("{} and {} are on different NUMA nodes: NCCL cannot place a device "
                             "that joins them",
                             first.name, member.net.name));
  return {};
}

Result<std::unique_ptr<PluginListenComm>> Core::listen(NcclLog::Key log, int device) {
  HAWSER_ASSIGN(auto listener, net_->listen(device));
  return std::make_unique<PluginListenComm>(log, net_, device, std::move(listener));
}

Result<std::unique_ptr<PluginSendComm>> Core::connect(NcclLog::Key log, int device,
                                                      const std::byte* handle_buffer) {
  ConnectKey key{handle_buffer, device, {}};
  std::copy_n(handle_buffer, kHandleBytes, key.handle.begin());
  HAWSER_ASSIGN(auto connector, take_connector(key));
  HAWSER_ASSIGN(auto comm, connector->try_connect());
  if (comm != nullptr) return std::make_unique<PluginSendComm>(log, net_, device, std::move(comm));
  keep_connector(key, std::move(connector));
  return std::unique_ptr<PluginSendComm>();
}

// It is out of the table while it works, so that the table's lock is not held meanwhile.
Result<std::unique_ptr<Connector>> Core::take_connector(const ConnectKey& key) {
  {
    const std::lock_guard lock(mutex_);
    if (auto node = pending_.extract(key)) return std::move(node.mapped().connector);
  }
  return net_->connect(key.device, key.handle);
}

void Core::keep_connector(const ConnectKey& key, std::unique_ptr<Connector> connector) {
  const std::lock_guard lock(mutex_);
  if (pending_.size() >= sweep_at_) sweep();
  pending_.insert_or_assign(key,
                            PendingConnect{std::move(connector), Deadline::after(kAbandonedAfter)});
}

void Core::sweep() {
  const std::size_t dropped =
      std::erase_if(pending_, [](const auto& entry) { return entry.second.abandoned.expired(); });
  if (dropped > 0) log_debug("dropped {} connections that nobody waits for", dropped);
  sweep_at_ = std::max(kFirstSweepAt, 2 * pending_.size());
}

}  // namespace hawser::plugin
