#include "net/tcp/tcp_net.h"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <mutex>

#include "base/cpus.h"
#include "base/log.h"
#include "base/parameters.h"
#include "net/tcp/congestion.h"
#include "net/tcp/connector.h"
#include "net/tcp/device.h"
#include "net/tcp/listener.h"
#include "net/tcp/message_window.h"
#include "net/tcp/tuning.h"

namespace hawser {
namespace {

constexpr int kMaxComms = 65536;

NetCapabilities tcp_capabilities() {
  NetCapabilities capabilities;
  capabilities.max_requests = static_cast<int>(tcp::kMaxRequests);
  capabilities.max_request_bytes = tcp::kMaxMessageBytes;
  capabilities.registration_per_device = true;
  capabilities.reports_received_bytes = true;
  return capabilities;
}

NetDevice describe(const SelectedInterface& selected) {
  NetDevice device;
  device.name = selected.interface.name;
  device.pci_path = selected.interface.pci_path;
  device.address = selected.address.text();
  device.speed_mbps = selected.interface.speed_mbps;
  device.numa_node = selected.interface.numa_node;
  device.guid = selected.interface.index;
  device.max_comms = kMaxComms;
  device.capabilities = tcp_capabilities();
  return device;
}

tcp::Path path_of(const SelectedInterface& selected) {
  return {selected.interface.name, selected.interface.index, selected.address};
}

void extend(NetDevice& joined, const NetDevice& member) {
  joined.name += "+" + member.name;
  joined.address += "+" + member.address;
  joined.speed_mbps += member.speed_mbps;
}

// "cubic, 9 sockets per channel, 8 I/O threads": how a device's connections are made.
std::string manner(const tcp::Device& device) {
  return fmt::format("{}, at most {} socket{} per channel, {} I/O thread{}",
                     device.socket.congestion, device.flows, device.flows == 1 ? "" : "s",
                     device.io->threads(), device.io->threads() == 1 ? "" : "s");
}

// Thread-safe as Net demands.
class TcpNet final : public Net {
 public:
  TcpNet(const TcpOptions& options, tcp::IoPoolOptions io, tcp::SocketOptions socket,
         std::vector<SelectedInterface> interfaces)
      : options_(options),
        socket_(std::move(socket)),
        interfaces_(std::move(interfaces)),
        io_(std::move(io)) {
    for (const SelectedInterface& selected : interfaces_) {
      const tcp::Device& device =
          add(selected.interface.name, {path_of(selected)}, selected.interface.loopback);
      offered_.push_back(describe(selected));
      offered_.back().manner = manner(device);
      offered_.back().sockets = static_cast<int>(device.flows);
    }
  }

  ~TcpNet() override {
    for (const tcp::Device& device : devices_)
      if (const std::size_t left = device.registrations.size(); left > 0)
        log_warning("device {} of {} closes with {} registrations alive", device.name, name_, left);
  }

  const std::string& name() const override { return name_; }
  const std::string& description() const override { return description_; }
  const std::vector<NetDevice>& devices() const override { return offered_; }

  Result<std::unique_ptr<Listener>> listen(const CommPlace& place) override {
    HAWSER_ASSIGN(tcp::Device * found, at(place.device));
    HAWSER_ASSIGN(std::unique_ptr<Listener> listener, tcp::TcpListener::open(*found));
    return listener;
  }

  Result<std::unique_ptr<Connector>> connect(const CommPlace& place,
                                             const Handle& handle) override {
    HAWSER_ASSIGN(tcp::Device * found, at(place.device));
    HAWSER_ASSIGN(std::unique_ptr<Connector> connector, tcp::TcpConnector::start(*found, handle));
    return connector;
  }

  Result<NetDevice> join(std::span<const int> devices) override;

 private:
  Status check_member(int index, const std::vector<tcp::Path>& others) const;
  tcp::Device& add(const std::string& name, std::vector<tcp::Path> paths, bool loopback) {
    tcp::Device& device = devices_.emplace_back();
    device.name = name;
    device.flows = tcp::tune_flows(options_, io_.threads(), loopback, paths.size());
    device.paths = std::move(paths);
    device.socket = socket_;
    if (device.socket.buffer_bytes == 0 && device.flows > 1)
      device.socket.buffer_bytes = tcp::kStripedBufferBytes;
    device.io = &io_;
    return device;
  }

  Result<tcp::Device*> at(int device) {
    const std::lock_guard lock(mutex_);
    if (device >= 0 && static_cast<std::size_t>(device) < devices_.size())
      return &devices_[static_cast<std::size_t>(device)];
    return Error(Code::invalid_argument,
                 fmt::format("no device {}: {} has {}", device, name_, devices_.size()));
  }

  const std::string name_ = "hawser TCP";
  const std::string description_ = "hawser TCP (built in)";
  const TcpOptions options_;
  const tcp::SocketOptions socket_;
  const std::vector<SelectedInterface> interfaces_;
  tcp::IoPool io_;
  std::vector<NetDevice> offered_;  // what devices() tells of each interface
  std::mutex mutex_;                // guards the number of devices_, not what they hold
  std::deque<tcp::Device> devices_;
};

Result<NetDevice> TcpNet::join(std::span<const int> devices) {
  if (devices.empty() || devices.size() > tcp::kMaxPaths)
    return Error(Code::invalid_argument, fmt::format("cannot join {} devices: 1 to {} can be",
                                                     devices.size(), tcp::kMaxPaths));
  std::vector<tcp::Path> paths;
  NetDevice joined;
  bool loopback = true;
  for (const int index : devices) {
    HAWSER_TRY(check_member(index, paths));
    const NetDevice& member = offered_[static_cast<std::size_t>(index)];
    const SelectedInterface& selected = interfaces_[static_cast<std::size_t>(index)];
    paths.empty() ? void(joined = member) : extend(joined, member);
    loopback = loopback && selected.interface.loopback;
    paths.push_back(path_of(selected));
  }
  const std::lock_guard lock(mutex_);
  joined.manner = manner(add(joined.name, std::move(paths), loopback));
  return joined;
}

// An interface, not joined to the others yet, with an address of their family.
Status TcpNet::check_member(int index, const std::vector<tcp::Path>& others) const {
  if (index < 0 || static_cast<std::size_t>(index) >= interfaces_.size())
    return Error(Code::invalid_argument, fmt::format("no device {} that can be joined: {} has {}",
                                                     index, name_, interfaces_.size()));
  const tcp::Path path = path_of(interfaces_[static_cast<std::size_t>(index)]);
  for (const tcp::Path& other : others) {
    if (other.name == path.name)
      return Error(Code::invalid_argument, fmt::format("{} is named twice", path.name));
    if (other.address.family != path.address.family)
      return Error(Code::invalid_argument,
                   fmt::format("{} and {} have addresses of different families: choose one with "
                               "HAWSER_SOCKET_FAMILY",
                               other.name, path.name));
  }
  return {};
}

}  // namespace

Result<TcpOptions> TcpOptions::from_environment() {
  TcpOptions options;
  options.sysfs_root = parameters::kSysfsRoot.text_or_default();
  HAWSER_ASSIGN(options.interfaces, InterfaceSelection::from_environment());
  const auto read = [](const Parameter& parameter, int& to) -> Status {
    HAWSER_ASSIGN(to, parameter.integer());
    return {};
  };
  HAWSER_TRY(read(parameters::kSocketBufferBytes, options.socket_buffer_bytes));
  HAWSER_TRY(read(parameters::kSocketsPerChannel, options.sockets_per_channel));
  HAWSER_TRY(read(parameters::kIoThreads, options.io_threads));
  HAWSER_TRY(read(parameters::kIoNumaNode, options.io_numa_node));
  HAWSER_TRY(read(parameters::kIoSpinUs, options.io_spin_us));
  HAWSER_TRY(read(parameters::kPeerSilenceMs, options.peer_silence_ms));
  if (const auto cpus = parameters::kIoCpus.text()) {
    auto parsed = parse_cpus(*cpus);
    if (!parsed.ok()) return parsed.error().within(parameters::kIoCpus.name);
    options.io_cpus = std::move(*parsed);
  }
  options.congestion = parameters::kCongestionControl.text_or_default();
  return options;
}

Result<std::unique_ptr<Net>> make_tcp_net(const TcpOptions& options) {
  HAWSER_ASSIGN(const auto interfaces, list_interfaces(options.sysfs_root, options.addresses));
  HAWSER_ASSIGN(auto selected, select_interfaces(interfaces, options.interfaces));
  HAWSER_ASSIGN(auto io, tcp::tune_io(options, allowed_cpus(), selected));
  tcp::SocketOptions socket;
  socket.buffer_bytes = options.socket_buffer_bytes;
  socket.peer_silence_ms = static_cast<unsigned>(options.peer_silence_ms);
  HAWSER_ASSIGN(socket.congestion, tcp::choose_congestion(options.congestion));
  return std::unique_ptr<Net>(
      std::make_unique<TcpNet>(options, std::move(io), std::move(socket), std::move(selected)));
}

}  // namespace hawser
