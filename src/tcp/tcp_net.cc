#include "tcp/tcp_net.h"

#include <fmt/core.h>

#include "base/log.h"
#include "base/parameters.h"
#include "tcp/connector.h"
#include "tcp/device.h"
#include "tcp/listener.h"
#include "tcp/send_comm.h"

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
  device.guid = selected.interface.index;
  device.max_comms = kMaxComms;
  device.capabilities = tcp_capabilities();
  return device;
}

// Thread-safe: constant after construction but for the devices' registrations.
class TcpNet final : public Net {
 public:
  TcpNet(const std::vector<SelectedInterface>& interfaces, int socket_buffer_bytes) {
    for (const SelectedInterface& selected : interfaces) add(selected, socket_buffer_bytes);
  }

  ~TcpNet() override {
    for (const auto& device : devices_)
      if (const std::size_t left = device->registrations.size(); left > 0)
        log_warning("device {} of {} closes with {} registrations alive", device->name, name_,
                    left);
  }

  const std::string& name() const override { return name_; }
  const std::string& description() const override { return description_; }
  const std::vector<NetDevice>& devices() const override { return offered_; }

  Result<std::unique_ptr<Listener>> listen(int device) override {
    HAWSER_ASSIGN(tcp::Device * found, at(device));
    HAWSER_ASSIGN(std::unique_ptr<Listener> listener, tcp::TcpListener::open(*found));
    return listener;
  }

  Result<std::unique_ptr<Connector>> connect(int device, const Handle& handle) override {
    HAWSER_ASSIGN(tcp::Device * found, at(device));
    HAWSER_ASSIGN(std::unique_ptr<Connector> connector, tcp::TcpConnector::start(*found, handle));
    return connector;
  }

 private:
  void add(const SelectedInterface& selected, int socket_buffer_bytes) {
    auto device = std::make_unique<tcp::Device>();
    device->name = selected.interface.name;
    device->interface_index = selected.interface.index;
    device->address = selected.address;
    device->socket_buffer_bytes = socket_buffer_bytes;
    devices_.push_back(std::move(device));
    offered_.push_back(describe(selected));
  }

  Result<tcp::Device*> at(int device) const {
    if (device >= 0 && static_cast<std::size_t>(device) < devices_.size())
      return devices_[static_cast<std::size_t>(device)].get();
    return Error(Code::invalid_argument,
                 fmt::format("no device {}: {} has {}", device, name_, devices_.size()));
  }

  const std::string name_ = "hawser TCP";
  const std::string description_ = "hawser TCP (built in)";
  std::vector<std::unique_ptr<tcp::Device>> devices_;
  std::vector<NetDevice> offered_;  // what devices() tells of each
};

}  // namespace

Result<TcpOptions> TcpOptions::from_environment() {
  TcpOptions options;
  options.sysfs_root = parameters::kSysfsRoot.text_or_default();
  HAWSER_ASSIGN(options.interfaces, InterfaceSelection::from_environment());
  HAWSER_ASSIGN(const std::int64_t buffer_bytes, parameters::kSocketBufferBytes.integer());
  options.socket_buffer_bytes = static_cast<int>(buffer_bytes);
  return options;
}

Result<std::unique_ptr<Net>> make_tcp_net(const TcpOptions& options) {
  HAWSER_ASSIGN(const auto interfaces, list_interfaces(options.sysfs_root, options.addresses));
  HAWSER_ASSIGN(const auto selected, select_interfaces(interfaces, options.interfaces));
  return std::unique_ptr<Net>(std::make_unique<TcpNet>(selected, options.socket_buffer_bytes));
}

}  // namespace hawser
