#include "validation/channel_run.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "net/hosted/call_journal.h"
#include "validation/steps.h"

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
  if (failed) {
    status.reason = failure_text(*failed, role);
    status.operation = failed->operation;
    status.kind = failed->error.code();
  }
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

// For waits of this thread, within a call of this object.
WaitBound ChannelRun::bound() {
  return {deadline_, [this] {
            auto why = state_.board->broken(pass_, static_cast<std::uint32_t>(channel_));
            broken_off_ = broken_off_ || why.has_value();
            return why;
          }};
}

ChannelFailure ChannelRun::blamed(Operation operation, const Error& error) const {
  if (!broken_off_) return failure(operation, explained(error));
  const auto there = state_.board->failure(pass_, static_cast<std::uint32_t>(channel_));
  if (!there) return failure(Operation::peer, error);
  if (there->kind != Code::timeout)
    return failure(Operation::peer, Error(Code::peer, there->reason));
  // The time was up for this call as well: who gives up first is chance.
  return failure(operation,
                 explained(Error(Code::timeout,
                                 "not done when the other side gave up (" + there->reason + ")")));
}

ChannelRun::Failure ChannelRun::enter(Operation doing) const {
  if (!state_.environment.gpu) return std::nullopt;
  const Status current = state_.environment.gpu->make_current();
  return current.ok() ? Failure() : failure(doing, current.error());
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
  Failure heard = hear(stage);
  // A channel that counts as failed here counts so there.
  if (heard && heard->error.code() != Code::peer) state_.tell(pass_, stage, channel_, heard);
  return {true, std::move(heard)};
}

ChannelRun::Failure ChannelRun::open() {
  const bool serves = state_.role == Role::server;
  if (Failure failed = enter(serves ? Operation::listen : Operation::connect)) return failed;
  return serves ? open_receiver() : open_sender();
}

ChannelRun::Failure ChannelRun::open_receiver() {
  Result<std::unique_ptr<Listener>> listener = state_.manager.listen(key());
  if (!listener.ok()) return failure(Operation::listen, listener.error());
  const Handle& handle = (*listener)->handle();
  const wire::HandleOffer offer{pass_, static_cast<std::uint32_t>(channel_), handle};
  if (const Status sent = state_.session->send(offer); !sent.ok())
    return failure(Operation::peer, sent.error());
  if (channel_ == 0) reached("handles");
  auto channel =
      state_.manager.accept(key(), std::move(*listener), state_.channel_options(), bound());
  if (!channel.ok()) return blamed(Operation::accept, channel.error());
  slot().channel = std::move(*channel);
  return std::nullopt;
}

ChannelRun::Failure ChannelRun::open_sender() {
  const auto handle =
      state_.board->wait_handle(pass_, static_cast<std::uint32_t>(channel_), deadline_);
  if (!handle.ok()) return failure(Operation::peer, handle.error());
  if (channel_ == 0) reached("handles");
  auto channel = state_.manager.connect(key(), *handle, state_.channel_options(), bound());
  if (!channel.ok()) return blamed(Operation::connect, channel.error());
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
  Failure failed = enter(Operation::transfer);
  if (!failed) failed = fill(iteration);
  if (failed) state_.tell(pass_, wire::Stage::transferred, channel_, failed);
  return {!failed, std::move(failed)};
}

ChannelRun::Failure ChannelRun::fill(std::uint32_t iteration) const {
  const PatternKey key = state_.pattern(channel_, iteration);
  const Status filled = state_.role == Role::server
                            ? write_spoiled(key, *slot().buffer, state_.plan.bytes)
                            : write_pattern(key, *slot().buffer, state_.plan.bytes);
  return filled.ok() ? Failure() : failure(Operation::transfer, filled.error());
}

ChannelStep ChannelRun::transfer(std::uint32_t iteration) {
  const CallLabel label(call_label(channel_).c_str());
  Failure failed = enter(Operation::transfer);
  if (!failed) failed = move();
  if (!failed && state_.role == Role::server) failed = verify(iteration);
  if (channel_ == 0) reached("results");
  return exchange(wire::Stage::transferred, std::move(failed));
}

ChannelRun::Failure ChannelRun::move() {
  if (channel_ == 0) reached("transfer");
  const Status moved = slot().channel->transfer(memory(), slot().registration, bound());
  return moved.ok() ? Failure() : blamed(Operation::transfer, moved.error());
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
