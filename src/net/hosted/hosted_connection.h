// Connections of a hosted plugin being made.
#pragma once

#include <memory>
#include <optional>

#include "net/hosted/hosted_plugin.h"
#include "net/net.h"

namespace hawser {

// Not thread-safe. Borrows the plugin and the device, which the Net owns.
class HostedListener : public Listener {
 public:
  static Result<std::unique_ptr<Listener>> listen(HostedPlace place);
  // Closes the listen comm unless an accept has begun and not ended: plugins crash on that, so it
  // is left open then, with a line in the log.
  ~HostedListener() override;

  const Handle& handle() const override { return handle_; }
  Result<std::unique_ptr<ReceiveComm>> try_accept() override;

 private:
  explicit HostedListener(HostedPlace place) : place_(std::move(place)) {}

  enum class State { listening, accepting, ended };
  void close();
  Result<std::unique_ptr<ReceiveComm>> take(void* comm, const abi::DeviceHandle* given);

  const HostedPlace place_;
  alignas(64) Handle handle_{};
  void* comm_ = nullptr;
  State state_ = State::listening;
  // The plugin gets 32 bytes to write to, always, and may go on using them.
  std::unique_ptr<abi::DeviceHandle> device_handle_ = std::make_unique<abi::DeviceHandle>();
};

// Not thread-safe. Borrows the plugin and the device, which the Net owns. The plugin has no call to
// give up a connection that is being made: what it holds for one that is abandoned stays with it.
class HostedConnector : public Connector {
 public:
  HostedConnector(HostedPlace place, const Handle& handle)
      : place_(std::move(place)), handle_(handle) {}

  Result<std::unique_ptr<SendComm>> try_connect() override;

 private:
  enum class State { new_, connecting, ended };

  const HostedPlace place_;
  // The plugin keeps its state in here: the same bytes on every try, none after success.
  alignas(64) Handle handle_;
  State state_ = State::new_;
  std::unique_ptr<abi::DeviceHandle> device_handle_ = std::make_unique<abi::DeviceHandle>();
};

}  // namespace hawser
