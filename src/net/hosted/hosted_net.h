// A hosted plugin as a Net.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/hosted/hosted_plugin.h"
#include "net/hosted/hosting.h"
#include "net/net.h"

namespace hawser {

// What a device's properties mean for a host. Pure; for load_plugin and its tests.
HostedDevice host_device(int index, const PluginProperties& properties, const PluginTraits& traits,
                         const std::string& plugin_name, std::size_t unpack_request_bytes);

// Initialises the plugin and asks for its devices. `origin` is for people: where it came from.
Result<std::unique_ptr<Net>> host_plugin(std::unique_ptr<PluginApi> api, const std::string& origin,
                                         const PluginOptions& options);

// Thread-safe as far as the plugin is. Finalizes the plugin's context, where it has one.
class HostedNet : public Net {
 public:
  HostedNet(std::unique_ptr<HostedPlugin> plugin, const std::string& origin);
  ~HostedNet() override;

  Status start(const PluginOptions& options);

  const std::string& name() const override { return name_; }
  const std::string& description() const override { return description_; }
  const std::vector<NetDevice>& devices() const override { return devices_; }

  Result<std::unique_ptr<Listener>> listen(const CommPlace& place) override;
  Result<std::unique_ptr<Connector>> connect(const CommPlace& place, const Handle& handle) override;

 private:
  Status init();
  Result<int> count_devices() const;
  Status add_device(int index, const PluginOptions& options);
  Status check_device(int device) const;
  HostedPlace hosted_place(const CommPlace& place) const;
  // One that is of no comm, with the GPU current that the plugin was opened with.
  template <class Call>
  Status rare_call(const CallNote& note, Call&& make) const {
    return plugin_->call(plugin_->gpu().get(), note, std::forward<Call>(make));
  }

  std::unique_ptr<HostedPlugin> plugin_;
  std::string name_;
  std::string description_;
  bool finalize_ = false;
  std::vector<NetDevice> devices_;
  std::vector<HostedDevice> hosted_;  // the same devices, by the same index
};

}  // namespace hawser
