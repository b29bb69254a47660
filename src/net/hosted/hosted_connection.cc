#include "net/hosted/hosted_connection.h"

#include <fmt/core.h>

#include "net/hosted/hosted_comm.h"

namespace hawser {
namespace {

Error already_ended(const HostedPlace& place, const char* entry) {
  return Error(Code::internal, fmt::format("{}: {} on device {} called again after it had ended",
                                           place.plugin.name(), entry, place.device.index));
}

// False: another creation is in the plugin, ask again.
Result<bool> try_turn(const HostedPlace& place, const CallNote& call) {
  CreationTurn* const turn = place.creation_turn();
  return turn == nullptr ? Result<bool>(true) : turn->try_take(place.plugin.name(), call);
}

}  // namespace

Result<std::unique_ptr<Listener>> HostedListener::listen(HostedPlace place) {
  std::unique_ptr<HostedListener> made(new HostedListener(std::move(place)));
  const HostedPlace& at = made->place_;
  const CallNote note = at.note("listen");
  CreationTurn* const turn = at.creation_turn();
  if (turn != nullptr) HAWSER_TRY(turn->take(at.plugin.name(), note));
  const TakenTurn taken(turn);
  HAWSER_TRY(at.call(note, [&] {
    return at.plugin.api().listen(at.plugin.context(), at.device.index, made->handle_.data(),
                                  &made->comm_);
  }));
  if (made->comm_ == nullptr)
    return plugin_misbehaved(at.plugin.name(), note, "succeeded and gave no listen comm");
  return std::unique_ptr<Listener>(std::move(made));
}

HostedListener::~HostedListener() {
  if (comm_ == nullptr) return;
  if (state_ == State::accepting) {
    log_warning(
        "{}: a listen comm of device {} stays open: its accept has not ended, and to close it "
        "then would crash some plugins",
        place_.plugin.name(), place_.device.index);
    place_.plugin.process().leave_open(comm_);
    return;
  }
  close();
}

void HostedListener::close() {
  const Status closed = place_.call(place_.note("closeListen"),
                                    [&] { return place_.plugin.api().close_listen(comm_); });
  if (!closed.ok()) log_warning("{}", closed.error().message());
  comm_ = nullptr;
}

Result<std::unique_ptr<ReceiveComm>> HostedListener::try_accept() {
  if (state_ == State::ended) return already_ended(place_, "accept");
  const CallNote note = place_.note("accept");
  void* comm = nullptr;
  abi::DeviceHandle* given = device_handle_.get();
  {
    HAWSER_ASSIGN(const bool my_turn, try_turn(place_, note));
    if (!my_turn) return std::unique_ptr<ReceiveComm>();
    const TakenTurn taken(place_.creation_turn());
    const bool repeated = state_ == State::accepting;
    state_ = State::accepting;
    const Status accepted = place_.call(
        note, [&] { return place_.plugin.api().accept(comm_, &comm, &given); }, repeated);
    if (accepted.ok() && comm == nullptr) return std::unique_ptr<ReceiveComm>();
    state_ = State::ended;
    if (!accepted.ok()) return accepted.error();
  }
  return take(comm, given);
}

Result<std::unique_ptr<ReceiveComm>> HostedListener::take(void* comm,
                                                          const abi::DeviceHandle* given) {
  auto made = std::make_unique<HostedReceiveComm>(place_, comm, std::move(device_handle_));
  close();
  if (place_.device.capabilities.needs_unpack) HAWSER_TRY(made->open_unpacking(given));
  return std::unique_ptr<ReceiveComm>(std::move(made));
}

Result<std::unique_ptr<SendComm>> HostedConnector::try_connect() {
  if (state_ == State::ended) return already_ended(place_, "connect");
  const CallNote note = place_.note("connect");
  HAWSER_ASSIGN(const bool my_turn, try_turn(place_, note));
  if (!my_turn) return std::unique_ptr<SendComm>();
  const TakenTurn taken(place_.creation_turn());
  const bool repeated = state_ == State::connecting;
  state_ = State::connecting;
  void* comm = nullptr;
  abi::DeviceHandle* given = device_handle_.get();
  const Status connected = place_.call(
      note,
      [&] {
        return place_.plugin.api().connect(place_.plugin.context(), place_.device.index,
                                           handle_.data(), &comm, &given);
      },
      repeated);
  if (connected.ok() && comm == nullptr) return std::unique_ptr<SendComm>();
  state_ = State::ended;
  if (!connected.ok()) return connected.error();
  return std::unique_ptr<SendComm>(
      std::make_unique<HostedSendComm>(place_, comm, std::move(device_handle_)));
}

}  // namespace hawser
