// A hosted plugin in a process of its own, as a Net.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/hosted/hosting.h"
#include "net/isolated/isolated_comm.h"
#include "net/isolated/plugin_process.h"
#include "net/net.h"

namespace hawser {

// The first of `candidates` that loads, in a process that is started for it and ends with the Net.
// It takes host memory only, and its receives need no unpacking: that is done there. Requests are
// of 1 MiB at most. What is asked before init is that program's own (`options.before_init` stays
// here). `options.journal` tells of the calls in that process, too; a GPU is opened in
// it, of the same number. When the plugin ends the process, every call fails and says in which call
// and how; this process goes on, and may open the plugin again.
Result<std::unique_ptr<Net>> open_isolated(const std::vector<PluginChoice>& candidates,
                                           const PluginOptions& options,
                                           const isolate::ProcessOptions& process = {});

namespace isolate {

// Thread-safe.
class IsolatedNet : public Net {
 public:
  explicit IsolatedNet(std::shared_ptr<PluginProcess> process) : process_(std::move(process)) {}

  Status start();
  pid_t pid() const { return process_->pid(); }

  const std::string& name() const override { return name_; }
  const std::string& description() const override { return description_; }
  const std::vector<NetDevice>& devices() const override { return devices_; }
  Result<std::unique_ptr<Listener>> listen(const CommPlace& place) override;
  Result<std::unique_ptr<Connector>> connect(const CommPlace& place, const Handle& handle) override;
  std::optional<Error> ended() const override { return process_->failure(); }
  std::chrono::nanoseconds cpu_time_elsewhere() const override;

 private:
  Status add_device(int index);
  Status check_device(int device) const;

  const std::shared_ptr<PluginProcess> process_;
  std::string name_;
  std::string description_;
  std::vector<NetDevice> devices_;
  std::vector<IsolatedDevice> isolated_;  // the same devices, by the same index
};

}  // namespace isolate
}  // namespace hawser
