// Connections of an isolated plugin being made.
#pragma once

#include <memory>
#include <optional>

#include "net/isolated/isolated_comm.h"
#include "net/isolated/plugin_process.h"
#include "net/net.h"

namespace hawser::isolate {

// What accept and connect have in common: the plugin's process tries, this one asks whether it is
// through. Not thread-safe.
class CommMaker {
 public:
  CommMaker(std::shared_ptr<PluginProcess> process, const IsolatedDevice& device, bool sends)
      : process_(std::move(process)), device_(device), sends_(sends) {}

  // `request` names the listener or connector, and is sent at the first call. Nothing: not yet.
  Result<std::optional<CommParts>> try_make(const HostCall& request);
  // Of a comm that nobody has taken: its number, else 0.
  std::uint32_t abandon();
  const IsolatedDevice& device() const { return device_; }
  PluginProcess& process() const { return *process_; }

 private:
  Status begin(HostCall request);

  const std::shared_ptr<PluginProcess> process_;
  const IsolatedDevice& device_;
  const bool sends_;
  std::optional<std::uint64_t> call_;
  bool ended_ = false;
  CommParts parts_;
};

// Not thread-safe. Borrows the device, which the Net owns.
class IsolatedListener : public Listener {
 public:
  static Result<std::unique_ptr<Listener>> listen(std::shared_ptr<PluginProcess> process,
                                                  const IsolatedDevice& device, int gpu);
  ~IsolatedListener() override;

  const Handle& handle() const override { return handle_; }
  Result<std::unique_ptr<ReceiveComm>> try_accept() override;

 private:
  IsolatedListener(std::shared_ptr<PluginProcess> process, const IsolatedDevice& device, int gpu)
      : number_(process->next_number()), gpu_(gpu), maker_(std::move(process), device, false) {}

  const std::uint32_t number_;
  const int gpu_;  // as HostCall has it
  Handle handle_{};
  CommMaker maker_;
};

// Not thread-safe. Borrows the device, which the Net owns.
class IsolatedConnector : public Connector {
 public:
  IsolatedConnector(std::shared_ptr<PluginProcess> process, const IsolatedDevice& device, int gpu,
                    const Handle& handle)
      : number_(process->next_number()),
        gpu_(gpu),
        handle_(handle),
        maker_(std::move(process), device, true) {}
  ~IsolatedConnector() override;

  Result<std::unique_ptr<SendComm>> try_connect() override;

 private:
  const std::uint32_t number_;
  const int gpu_;  // as HostCall has it
  const Handle handle_;
  CommMaker maker_;
};

}  // namespace hawser::isolate
