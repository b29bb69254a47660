#include "net/tcp/tcp_net.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>

#include "base/cpu_quota.h"
#include "base/cpus.h"
#include "base/log.h"
#include "base/parameters.h"
#include "base/socket.h"
#include "net/tcp/congestion.h"
#include "net/tcp/connector.h"
#include "net/tcp/device.h"
#include "net/tcp/listener.h"
#include "net/tcp/offer.h"
#include "net/tcp/probe.h"
#include "net/tcp/tuning.h"

namespace hawser {
namespace {

// Of a process that runs for long, on a machine where interfaces come and go by other names.
constexpr std::size_t kMostDevices = 256;
// Of one device: further ones are not told of.
constexpr std::size_t kMostEndpoints = 4;

void extend(NetDevice& joined, const NetDevice& member) {
  joined.name += "+" + member.name;
  joined.address += "+" + member.address;
  joined.speed_mbps += member.speed_mbps;
}

// Thread-safe as Net demands.
class TcpNet final : public Net {
 public:
  TcpNet(const TcpOptions& options, tcp::IoPoolOptions io, tcp::SocketOptions socket,
         tcp::PortRange ports, tcp::Advertised advertised,
         const std::vector<SelectedInterface>& interfaces)
      : options_(options),
        socket_(std::move(socket)),
        ports_(ports),
        advertised_(std::move(advertised)),
        io_(std::move(io)),
        page_file_(PageFile::create_if_possible()) {
    const std::lock_guard lock(mutex_);
    take(interfaces);
  }

  ~TcpNet() override {
    for (const tcp::Device& device : devices_)
      if (const std::size_t left = device.registrations.size(); left > 0)
        log_warning("device {} of {} closes with {} registrations alive", device.name, name_, left);
  }

  const std::string& name() const override { return name_; }
  const std::string& description() const override { return description_; }
  const std::vector<NetDevice>& devices() const override {
    return *offered_.load(std::memory_order_acquire);
  }
  Status refresh() override;
  Status use_address(int device, const IpAddress& address) override;

  Result<std::unique_ptr<Listener>> listen(const CommPlace& place) override {
    HAWSER_ASSIGN(tcp::Device * found, at(place.device));
    HAWSER_ASSIGN(std::unique_ptr<Listener> listener,
                  tcp::TcpListener::open(*found, place.address));
    return listener;
  }

  Result<std::unique_ptr<Connector>> connect(const CommPlace& place,
                                             const Handle& handle) override {
    HAWSER_ASSIGN(tcp::Device * found, at(place.device));
    HAWSER_ASSIGN(std::unique_ptr<Connector> connector,
                  tcp::TcpConnector::start(*found, handle, origin(place)));
    return connector;
  }

  Result<std::unique_ptr<SendListener>> listen_to_send(const CommPlace& place) override {
    HAWSER_ASSIGN(tcp::Device * found, at(place.device));
    HAWSER_ASSIGN(std::unique_ptr<SendListener> listener,
                  tcp::TcpSendListener::open(*found, place.address));
    return listener;
  }

  Result<std::unique_ptr<ReceiveConnector>> connect_to_receive(const CommPlace& place,
                                                               const Handle& handle) override {
    HAWSER_ASSIGN(tcp::Device * found, at(place.device));
    HAWSER_ASSIGN(std::unique_ptr<ReceiveConnector> connector,
                  tcp::TcpReceiveConnector::start(*found, handle, origin(place)));
    return connector;
  }

  Result<std::vector<Endpoint>> endpoints(int device) override;

  Result<std::vector<SocketAddress>> targets(const Handle& handle) const override {
    HAWSER_ASSIGN(tcp::ListenerName name, tcp::decode_handle(handle));
    return std::move(name.addresses);
  }

  std::unique_ptr<Probe> probe(const CommPlace& from, const Endpoint& to) override {
    const auto found = at(from.device);
    return found.ok() ? tcp::TcpProbe::start(**found, from.address, to.address) : nullptr;
  }

  Result<NetDevice> join(std::span<const int> devices) override;

 private:
  static tcp::Origin origin(const CommPlace& place) { return {place.address, place.small_packets}; }
  void take(const std::vector<SelectedInterface>& interfaces);
  void publish();
  tcp::Path path_of(const SelectedInterface& selected) const;
  Status check_member(int index, const std::vector<tcp::Path>& others) const;
  tcp::Device& add(const std::string& name, std::vector<tcp::Path> paths, bool loopback);

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
  const tcp::PortRange ports_;
  const tcp::Advertised advertised_;
  tcp::IoPool io_;
  const std::shared_ptr<PageFile> page_file_;  // may be null
  tcp::FurtherSockets further_;
  std::atomic<const std::vector<NetDevice>*> offered_{nullptr};  // publishes the last of told_

  mutable std::mutex mutex_;  // guards what follows, of devices_ how many there are
  struct Known {
    SelectedInterface interface;
    bool gone = false;
    bool asked_only = false;
  };
  std::vector<Known> known_;                 // a device of the same index each
  std::map<int, IpAddress> chosen_;          // by device
  std::deque<std::vector<NetDevice>> told_;  // what devices() has given out, ever
  std::deque<tcp::Device> devices_;          // those of known_, then those that join some
};

tcp::Path TcpNet::path_of(const SelectedInterface& selected) const {
  const auto at = std::ranges::find(known_, selected.interface.name,
                                    [](const Known& one) { return one.interface.interface.name; });
  const auto chosen = chosen_.find(static_cast<int>(at - known_.begin()));
  return tcp::path_of(selected, options_.interfaces.family, advertised_,
                      chosen == chosen_.end() ? std::nullopt : std::optional(chosen->second),
                      socket_.by_device);
}

tcp::Device& TcpNet::add(const std::string& name, std::vector<tcp::Path> paths, bool loopback) {
  tcp::Device& device = devices_.emplace_back(ports_);
  device.name = name;
  device.flows = tcp::tune_flows(options_, io_.threads(), loopback, paths.size());
  device.yields = options_.sockets_per_channel == 0 && io_.threads() > 0 && paths.size() == 1;
  device.set_paths(std::move(paths));
  device.socket = socket_;
  if (device.socket.buffer_bytes == 0 && device.flows > 1)
    device.socket.buffer_bytes = tcp::kStripedBufferBytes;
  device.io = &io_;
  device.page_file = page_file_;
  device.further = &further_;
  return device;
}

// Each interface keeps its place, new ones come behind.
void TcpNet::take(const std::vector<SelectedInterface>& interfaces) {
  const InterfaceKind best = best_kind(interfaces);
  const bool all = !options_.interfaces.names.empty();
  for (Known& known : known_) known.gone = true;
  for (const SelectedInterface& selected : interfaces) {
    const bool last_choice =
        selected.interface.loopback || (!all && selected.interface.kind > best);
    const Known now{selected, false, last_choice && interfaces.size() > 1};
    const auto at = std::ranges::find(known_, selected.interface.name, [](const Known& one) {
      return one.interface.interface.name;
    });
    if (at != known_.end()) {
      *at = now;
      devices_[static_cast<std::size_t>(at - known_.begin())].set_paths({path_of(selected)});
    } else if (known_.size() < kMostDevices) {
      known_.push_back(now);
      add(selected.interface.name, {path_of(selected)}, selected.interface.loopback);
    }
  }
  publish();
}

void TcpNet::publish() {
  std::vector<NetDevice> offered;
  for (std::size_t i = 0; i < known_.size(); ++i) {
    const tcp::Device& device = devices_[i];
    NetDevice& told = offered.emplace_back(tcp::describe(known_[i].interface));
    told.address = device.paths().front().address().text();
    told.manner = tcp::manner(device);
    told.sockets = static_cast<int>(device.flows);
    told.asked_only = known_[i].asked_only;
    told.gone = known_[i].gone;
  }
  const auto same = [](const NetDevice& a, const NetDevice& b) {
    return a.name == b.name && a.address == b.address && a.gone == b.gone &&
           a.asked_only == b.asked_only && a.mtu == b.mtu && a.speed_mbps == b.speed_mbps;
  };
  if (!told_.empty() && std::ranges::equal(told_.back(), offered, same)) return;
  told_.push_back(std::move(offered));
  offered_.store(&told_.back(), std::memory_order_release);
}

// Joined devices stand behind the others: there is no place for new ones then.
Status TcpNet::refresh() {
  HAWSER_ASSIGN(const auto interfaces, list_interfaces(options_.sysfs_root, options_.addresses));
  auto selected = select_interfaces(interfaces, options_.interfaces);
  if (!selected.ok() && selected.error().code() != Code::unavailable) return selected.error();
  const std::lock_guard lock(mutex_);
  if (devices_.size() > known_.size()) return {};
  take(selected.ok() ? *selected : std::vector<SelectedInterface>());
  return {};
}

Status TcpNet::use_address(int device, const IpAddress& address) {
  const std::lock_guard lock(mutex_);
  const auto index = static_cast<std::size_t>(device);
  if (device < 0 || index >= known_.size())
    return Error(Code::invalid_argument, fmt::format("no device {}", device));
  const Interface& interface = known_[index].interface.interface;
  std::string text;
  bool has = false;
  for (const IpAddress& one : interface.addresses) {
    has = has || one.same_address(address);
    text += (text.empty() ? "" : ", ") + one.text();
  }
  if (!has)
    return Error(Code::invalid_argument,
                 fmt::format("{} has no address {}, but {}", interface.name, address.text(), text));
  chosen_.insert_or_assign(device, address);
  devices_[index].set_paths({path_of(known_[index].interface)});
  publish();
  return {};
}

Result<std::vector<Endpoint>> TcpNet::endpoints(int device) {
  HAWSER_ASSIGN(tcp::Device * found, at(device));
  std::vector<Endpoint> endpoints;
  const std::vector<tcp::Path> paths = found->paths();
  if (paths.size() != 1) return endpoints;
  found->door.stay_open();
  const tcp::Path& path = paths.front();
  for (const tcp::Path::Address& one : path.addresses) {
    if (endpoints.size() == kMostEndpoints) break;
    if (one.ip.link_local() && !endpoints.empty()) continue;
    auto at = found->door.open(found->name, one.ip, found->socket);
    if (!at.ok() && endpoints.empty()) return at.error();
    if (!at.ok()) continue;
    if (path.advertised) at->ip = *path.advertised;
    endpoints.push_back({*at, path.advertised ? 0 : one.prefix_bits});
    if (path.advertised) break;
  }
  return endpoints;
}

Result<NetDevice> TcpNet::join(std::span<const int> devices) {
  if (devices.empty() || devices.size() > tcp::kMaxPaths)
    return Error(Code::invalid_argument, fmt::format("cannot join {} devices: 1 to {} can be",
                                                     devices.size(), tcp::kMaxPaths));
  const std::lock_guard lock(mutex_);
  std::vector<tcp::Path> paths;
  NetDevice joined;
  bool loopback = true;
  for (const int index : devices) {
    HAWSER_TRY(check_member(index, paths));
    const NetDevice& member = told_.back()[static_cast<std::size_t>(index)];
    const SelectedInterface& selected = known_[static_cast<std::size_t>(index)].interface;
    paths.empty() ? void(joined = member) : extend(joined, member);
    loopback = loopback && selected.interface.loopback;
    paths.push_back(path_of(selected));
  }
  joined.manner = tcp::manner(add(joined.name, std::move(paths), loopback));
  return joined;
}

// An interface, not joined to the others yet, with an address of their family.
Status TcpNet::check_member(int index, const std::vector<tcp::Path>& others) const {
  if (index < 0 || static_cast<std::size_t>(index) >= known_.size())
    return Error(Code::invalid_argument, fmt::format("no device {} that can be joined: {} has {}",
                                                     index, name_, known_.size()));
  const tcp::Path path = path_of(known_[static_cast<std::size_t>(index)].interface);
  for (const tcp::Path& other : others) {
    if (other.name == path.name)
      return Error(Code::invalid_argument, fmt::format("{} is named twice", path.name));
    if (other.address().family != path.address().family)
      return Error(Code::invalid_argument,
                   fmt::format("{} and {} have addresses of different families: choose one with "
                               "HAWSER_SOCKET_FAMILY",
                               other.name, path.name));
  }
  return {};
}

// Since Linux 5.7 everybody may bind a socket that is not bound yet; a seccomp filter or a VRF may
// be in the way.
bool may_bind_to_devices() {
  const UniqueFd probe = sockets::open_socket(IpFamily::ipv4);
  return probe.valid() && sockets::bind_to_device(probe.get(), "lo") == 0;
}

void warn_of_routes(const std::vector<SelectedInterface>& interfaces) {
  const auto nics = std::ranges::count_if(
      interfaces, [](const SelectedInterface& one) { return !one.interface.loopback; });
  log_at(nics > 1 ? LogLevel::warning : LogLevel::info,
         "connections cannot be bound to interfaces here, only to their addresses: where several "
         "NICs are in one network, routes decide by which one data leaves");
}

}  // namespace

Result<TcpOptions> TcpOptions::from_environment() {
  TcpOptions options;
  options.sysfs_root = parameters::kSysfsRoot.text_or_default();
  options.cpu_quota = hawser::cpu_quota();
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
  options.data_ports = parameters::kDataPorts.text_or_default();
  options.advertise = parameters::kAdvertise.text_or_default();
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
  socket.by_device = options.bind_to_devices && may_bind_to_devices();
  if (!socket.by_device) warn_of_routes(selected);
  auto ports = tcp::PortRange::parse(options.data_ports);
  if (!ports.ok()) return ports.error().within(parameters::kDataPorts.name);
  HAWSER_ASSIGN(auto advertised, tcp::parse_advertised(options.advertise));
  return std::unique_ptr<Net>(std::make_unique<TcpNet>(options, std::move(io), std::move(socket),
                                                       *ports, std::move(advertised), selected));
}

}  // namespace hawser
