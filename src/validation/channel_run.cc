#include "validation/channel_run.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "net/call_journal.h"
#include "validation/hold.h"

namespace hawser {
namespace {

// How much longer than the step itself the peer's word about it may take.
constexpr Milliseconds kWordSlack{2000};
// What a plugin's call takes that does not hang is far below.
constexpr Milliseconds kHanging{100};

std::string call_label(std::size_t channel) {
  return fmt::format("channel {}", channel);
}

ChannelFailure failure(Operation operation, const Error& error) {
  return {operation, error};
}

Error mismatch_error(const Mismatch& wrong) {
  return Error(Code::data,
               fmt::format("Data mismatch at offset {}: expected 0x{:02x}, found 0x{:02x}",
                           wrong.offset, wrong.expected, wrong.found));
}

}  // namespace

RunState::RunState(Role side, Environment where, const wire::Plan& agreed)
    : role(side),
      environment(std::move(where)),
      plan(agreed),
      slots(agreed.channels),
      manager(environment.transport.net),
      board(std::make_shared<PeerBoard>(agreed.channels)) {}

ChannelOptions RunState::channel_options() const {
  ChannelOptions options;
  options.chunk_bytes = plan.chunk_bytes;
  options.gpu = environment.gpu;
  options.unpack = environment.transport.unpack;
  return options;
}

PatternKey RunState::pattern(std::size_t channel, std::uint32_t iteration) const {
  return {plan.seed, iteration, static_cast<std::uint32_t>(channel)};
}

void RunState::tell(std::uint32_t pass, wire::Stage stage, std::size_t channel,
                    const std::optional<ChannelFailure>& failed) {
  wire::ChannelStatus status{pass, static_cast<std::uint32_t>(channel), stage, !failed, ""};
  if (failed)
    status.reason = fmt::format("{} failed: {}", operation_name(failed->operation, role),
                                failed->error.message());
  const Status sent = session->send(status);
  if (!sent.ok())
    log_debug("telling the other side of channel {}: {}", channel, sent.error().message());
}

ChannelRun::ChannelRun(RunState& state, std::uint32_t pass, std::size_t channel)
    : state_(state),
      pass_(pass),
      channel_(channel),
      deadline_(Deadline::after(Milliseconds(state.plan.timeout_ms))) {}

ChannelKey ChannelRun::key() const {
  const int gpu = state_.environment.gpu ? state_.environment.gpu->info().ordinal : 0;
  return {gpu, state_.environment.device, static_cast<int>(channel_)};
}

WaitBound ChannelRun::bound() const {
  return {deadline_, [board = state_.board, pass = pass_, channel = channel_] {
            return board->broken(pass, static_cast<std::uint32_t>(channel));
          }};
}

ChannelRun::Failure ChannelRun::enter() const {
  if (!state_.environment.gpu) return std::nullopt;
  const Status current = state_.environment.gpu->make_current();
  return current.ok() ? Failure() : failure(Operation::listen, current.error());
}

ChannelStep ChannelRun::create() {
  const CallLabel label(call_label(channel_).c_str());
  Failure failed = open();
  if (!failed) failed = register_memory();
  return exchange(wire::Stage::created, std::move(failed));
}

ChannelStep ChannelRun::exchange(wire::Stage stage, Failure failed) const {
  state_.tell(pass_, stage, channel_, failed);
  if (failed) return {false, std::move(failed)};
  return {true, hear(stage)};
}

ChannelRun::Failure ChannelRun::open() {
  if (Failure failed = enter()) return failed;
  return state_.role == Role::server ? open_receiver() : open_sender();
}

ChannelRun::Failure ChannelRun::open_receiver() {
  Result<std::unique_ptr<Listener>> listener = state_.manager.listen(key());
  if (!listener.ok()) return failure(Operation::listen, listener.error());
  const Handle& handle = (*listener)->handle();
  const wire::HandleOffer offer{pass_, static_cast<std::uint32_t>(channel_), handle};
  if (const Status sent = state_.session->send(offer); !sent.ok())
    return failure(Operation::peer, sent.error());
  if (channel_ == 0) hold_at("handles");
  auto channel =
      state_.manager.accept(key(), std::move(*listener), state_.channel_options(), bound());
  if (!channel.ok()) return failure(Operation::accept, explained(channel.error()));
  slot().channel = std::move(*channel);
  return std::nullopt;
}

ChannelRun::Failure ChannelRun::open_sender() {
  const auto handle =
      state_.board->wait_handle(pass_, static_cast<std::uint32_t>(channel_), deadline_);
  if (!handle.ok()) return failure(Operation::peer, handle.error());
  if (channel_ == 0) hold_at("handles");
  auto channel = state_.manager.connect(key(), *handle, state_.channel_options(), bound());
  if (!channel.ok()) return failure(Operation::connect, explained(channel.error()));
  slot().channel = std::move(*channel);
  return std::nullopt;
}

ChannelRun::Failure ChannelRun::register_memory() {
  const auto registration =
      state_.manager.register_devmem_once(*slot().channel, slot().buffer->range());
  if (!registration.ok()) return failure(Operation::reg_mr, registration.error());
  slot().registration = *registration;
  return std::nullopt;
}

ChannelStep ChannelRun::prepare(std::uint32_t iteration) {
  if (Failure failed = enter()) return {false, std::move(failed)};
  const PatternKey key = state_.pattern(channel_, iteration);
  const Status filled = state_.role == Role::server
                            ? write_spoiled(key, *slot().buffer, state_.plan.bytes)
                            : write_pattern(key, *slot().buffer, state_.plan.bytes);
  if (filled.ok()) return {true, std::nullopt};
  const ChannelFailure failed = failure(Operation::transfer, filled.error());
  state_.tell(pass_, wire::Stage::transferred, channel_, failed);
  return {false, failed};
}

ChannelStep ChannelRun::transfer(std::uint32_t iteration) {
  const CallLabel label(call_label(channel_).c_str());
  Failure failed = enter();
  if (!failed) failed = move();
  if (!failed && state_.role == Role::server) failed = verify(iteration);
  if (channel_ == 0) hold_at("results");
  return exchange(wire::Stage::transferred, std::move(failed));
}

ChannelRun::Failure ChannelRun::move() {
  if (channel_ == 0) hold_at("transfer");
  const Status moved = slot().channel->transfer(memory(), slot().registration, bound());
  return moved.ok() ? Failure() : failure(Operation::transfer, explained(moved.error()));
}

// This thread came back at its deadline; one of an isolated plugin may hang in a call for it.
Error ChannelRun::explained(const Error& error) const {
  const auto& journal = state_.environment.transport.journal;
  if (error.code() != Code::timeout || journal == nullptr) return error;
  for (const CurrentCall& call : journal->current_calls())
    if (call.label == call_label(channel_) && Milliseconds(call.milliseconds) >= kHanging)
      return Error(error.code(), error.message() + "; the plugin is " + describe(call));
  return error;
}

ChannelRun::Failure ChannelRun::verify(std::uint32_t iteration) const {
  const auto wrong =
      check_pattern(state_.pattern(channel_, iteration), *slot().buffer, state_.plan.bytes);
  if (!wrong.ok()) return failure(Operation::verify, wrong.error());
  return *wrong ? failure(Operation::verify, mismatch_error(**wrong)) : Failure();
}

ChannelRun::Failure ChannelRun::hear(wire::Stage stage) const {
  const Deadline word = Deadline::after(deadline_.remaining() + kWordSlack);
  const auto status =
      state_.board->wait_status(pass_, stage, static_cast<std::uint32_t>(channel_), word);
  if (!status.ok()) return failure(Operation::peer, status.error());
  if (status->ok) return std::nullopt;
  return failure(Operation::peer, Error(Code::peer, status->reason));
}

}  // namespace hawser
