#include "net/hosted_connection.h"

#include <fmt/core.h>

#include "net/hosted_comm.h"

namespace hawser {
namespace {

CallNote device_note(const char* entry, const HostedDevice& device) {
  CallNote note;
  note.entry = entry;
  note.device = device.index;
  return note;
}

Error already_ended(const HostedPlugin& plugin, const char* entry, const HostedDevice& device) {
  return Error(Code::internal, fmt::format("{}: {} on device {} called again after it had ended",
                                           plugin.name(), entry, device.index));
}

}  // namespace

Result<std::unique_ptr<Listener>> HostedListener::listen(const HostedPlugin& plugin,
                                                         const HostedDevice& device) {
  std::unique_ptr<HostedListener> made(new HostedListener(plugin, device));
  const CallNote note = device_note("listen", device);
  HAWSER_TRY(plugin.call(note, [&] {
    return plugin.api().listen(plugin.context(), device.index, made->handle_.data(), &made->comm_);
  }));
  if (made->comm_ == nullptr)
    return plugin_misbehaved(plugin.name(), note, "succeeded and gave no listen comm");
  return std::unique_ptr<Listener>(std::move(made));
}

HostedListener::~HostedListener() {
  if (comm_ == nullptr) return;
  if (state_ == State::accepting) {
    log_warning(
        "{}: a listen comm of device {} stays open: its accept has not ended, and to close it "
        "then would crash some plugins",
        plugin_.name(), device_.index);
    return;
  }
  close();
}

void HostedListener::close() {
  const Status closed = plugin_.call(device_note("closeListen", device_),
                                     [&] { return plugin_.api().close_listen(comm_); });
  if (!closed.ok()) log_warning("{}", closed.error().message());
  comm_ = nullptr;
}

Result<std::unique_ptr<ReceiveComm>> HostedListener::try_accept() {
  if (state_ == State::ended) return already_ended(plugin_, "accept", device_);
  const bool repeated = state_ == State::accepting;
  state_ = State::accepting;
  void* comm = nullptr;
  abi::DeviceHandle* given = device_handle_.get();
  const Status accepted = plugin_.call(
      device_note("accept", device_), [&] { return plugin_.api().accept(comm_, &comm, &given); },
      repeated);
  if (accepted.ok() && comm == nullptr) return std::unique_ptr<ReceiveComm>();
  state_ = State::ended;
  if (!accepted.ok()) return accepted.error();
  return take(comm, given);
}

Result<std::unique_ptr<ReceiveComm>> HostedListener::take(void* comm,
                                                          const abi::DeviceHandle* given) {
  auto made =
      std::make_unique<HostedReceiveComm>(plugin_, device_, comm, std::move(device_handle_));
  close();
  if (device_.capabilities.needs_unpack) HAWSER_TRY(made->open_unpacking(given));
  return std::unique_ptr<ReceiveComm>(std::move(made));
}

Result<std::unique_ptr<SendComm>> HostedConnector::try_connect() {
  if (state_ == State::ended) return already_ended(plugin_, "connect", device_);
  const bool repeated = state_ == State::connecting;
  state_ = State::connecting;
  void* comm = nullptr;
  abi::DeviceHandle* given = device_handle_.get();
  const Status connected = plugin_.call(
      device_note("connect", device_),
      [&] {
        return plugin_.api().connect(plugin_.context(), device_.index, handle_.data(), &comm,
                                     &given);
      },
      repeated);
  if (connected.ok() && comm == nullptr) return std::unique_ptr<SendComm>();
  state_ = State::ended;
  if (!connected.ok()) return connected.error();
  return std::unique_ptr<SendComm>(
      std::make_unique<HostedSendComm>(plugin_, device_, comm, std::move(device_handle_)));
}

}  // namespace hawser
