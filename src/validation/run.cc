#include "validation/run.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/bounded.h"
#include "base/log.h"
#include "validation/hold.h"

namespace hawser {
namespace {

// A channel's thread keeps to the deadline, and waits a little for the peer's word: one that is not
// back after this much more hangs in a call.
constexpr Milliseconds kHangSlack{4000};

std::vector<std::size_t> unfailed(const PassOutcome& pass) {
  std::vector<std::size_t> channels;
  for (std::size_t i = 0; i < pass.channels.size(); ++i)
    if (!pass.channels[i].failure) channels.push_back(i);
  return channels;
}

// The step of the page in which the host makes that call of a plugin.
Operation operation_of_call(std::string_view entry) {
  if (entry == "listen") return Operation::listen;
  if (entry == "accept" || entry == "closeListen") return Operation::accept;
  if (entry == "connect") return Operation::connect;
  if (entry == "regMr" || entry == "regMrDmaBuf") return Operation::reg_mr;
  return Operation::transfer;
}

}  // namespace

Status Run::execute(Outcome& outcome) {
  outcome.first.serialized = state_->plan.serialize_create;
  outcome.first.channels.resize(state_->plan.channels);
  HAWSER_TRY(allocate());
  create(0, outcome.first);
  report_.creation(outcome.first);
  iterate(0, outcome.first);
  report_.transfers(outcome.first);
  agree(outcome.first);
  note_failures("", outcome.first);
  if (!outcome.first.serialized && outcome.first.creation_failed()) retry(outcome);
  return {};
}

Status Run::allocate() {
  for (ChannelSlot& slot : state_->slots) {
    HAWSER_ASSIGN(slot.buffer,
                  state_->environment.allocate(std::max<std::size_t>(1, state_->plan.bytes)));
  }
  return {};
}

void Run::create(std::uint32_t index, PassOutcome& pass) {
  log_debug("pass {}: making {} channels {}", index, pass.channels.size(),
            pass.serialized ? "one at a time" : "at once");
  phase(
      index, wire::Stage::created, pass, [](ChannelRun& run) { return run.create(); },
      [](ChannelOutcome& channel, bool done) {
        channel.created = done;
        channel.up = done && !channel.failure;
      });
  hold_at("created");
}

void Run::iterate(std::uint32_t index, PassOutcome& pass) {
  for (std::uint32_t number = 0; number < state_->plan.iterations; ++number)
    iteration(index, number, pass);
}

void Run::iteration(std::uint32_t index, std::uint32_t number, PassOutcome& pass) {
  const auto keep_failure = [](ChannelOutcome&, bool) {};
  phase(
      index, wire::Stage::transferred, pass,
      [number](ChannelRun& run) { return run.prepare(number); }, keep_failure);
  state_->board->forget(index, wire::Stage::transferred);
  if (!meet()) return note_losses(pass);
  log_debug("pass {}, iteration {}: {} channels transfer {} bytes each, in chunks of {}", index,
            number, unfailed(pass).size(), state_->plan.bytes, state_->plan.chunk_bytes);
  phase(
      index, wire::Stage::transferred, pass,
      [number](ChannelRun& run) { return run.transfer(number); },
      [](ChannelOutcome& channel, bool done) { channel.transferred = done; });
}

void Run::agree(PassOutcome& pass) {
  hold_at("close");
  log_debug("waiting for the other side, before closing all channels");
  if (!meet()) note_losses(pass);  // neither side closes a connection that the other still reads
}

void Run::close() {
  if (abandoned_) return state_->session->refuse("a plugin call never returned; this side ends");
  const auto work = [state = state_] {
    for (ChannelSlot& slot : state->slots) slot.channel.reset();
    state->manager.close_all();
  };
  const auto back = run_bounded(work, Milliseconds(state_->plan.timeout_ms));
  if (back.ok() && *back) return;
  abandoned_ = true;
  const auto& journal = state_->environment.transport.journal;
  note_("closing the channels: " + (journal ? stuck_text(*journal) : "no thread for it"));
}

void Run::retry(Outcome& outcome) {
  if (abandoned_ || outcome.first.peer_lost) return;
  close();
  if (abandoned_) return;
  note_("concurrent creation failed: trying again with channels made one at a time");
  PassOutcome pass;
  pass.serialized = true;
  pass.channels.resize(outcome.first.channels.size());
  create(1, pass);
  iterate(1, pass);
  agree(pass);
  if (pass.peer_lost)
    return note_("serialized creation could not be tried: " + pass.peer_lost_reason);
  note_failures("serialized creation: ", pass);
  // Both sides have gone through the steps together; but a plugin that is dead says nothing about
  // how channels are made.
  if (state_->environment.transport.net->ended()) return;
  outcome.retry = std::move(pass);
}

void Run::phase(std::uint32_t index, wire::Stage stage, PassOutcome& pass, const Work& work,
                const std::function<void(ChannelOutcome&, bool done)>& store) {
  const ChannelTask task = [state = state_, index, work](std::size_t channel) {
    ChannelRun run(*state, index, channel);
    return work(run);
  };
  const bool one_by_one = pass.serialized && stage == wire::Stage::created;
  const Milliseconds give_up = Milliseconds(state_->plan.timeout_ms) + kHangSlack;
  for (PhaseResult& result : run_phase(unfailed(pass), one_by_one, task, give_up)) {
    if (result.abandoned) result.step = abandon(index, stage, result.channel);
    ChannelOutcome& channel = pass.channels[result.channel];
    channel.failure = std::move(result.step.failure);
    store(channel, result.step.done);
  }
  note_losses(pass);
}

ChannelStep Run::abandon(std::uint32_t index, wire::Stage stage, std::size_t channel) {
  abandoned_ = true;
  const std::string label = fmt::format("channel {}", channel);
  ChannelFailure failure{Operation::stuck, Error(Code::timeout, "its thread did not come back")};
  if (const auto& journal = state_->environment.transport.journal)
    for (const CurrentCall& call : journal->current_calls())
      if (call.label == label)
        failure = {operation_of_call(call.entry), Error(Code::timeout, describe(call))};
  state_->tell(index, stage, channel, failure);
  return {false, failure};
}

bool Run::meet() {
  if (!state_->session->send(wire::Barrier{++barrier_}).ok() && !state_->board->lost())
    state_->board->on_lost(Error(Code::peer, "the control connection takes no more messages"));
  // The peer may still be waiting for a channel of its own to time out.
  const Milliseconds bound = Milliseconds(state_->plan.timeout_ms) + 2 * kHangSlack;
  const Status met = state_->board->wait_barrier(barrier_, Deadline::after(bound));
  if (!met.ok()) state_->board->on_lost(met.error());
  return met.ok();
}

void Run::note_losses(PassOutcome& pass) const {
  const std::optional<Error> lost = state_->board->lost();
  if (!lost) return;
  pass.peer_lost = true;
  pass.peer_lost_reason = lost->message();
  for (ChannelOutcome& channel : pass.channels)
    if (!channel.failure) channel.failure = ChannelFailure{Operation::peer, *lost};
}

void Run::note_failures(const char* what, const PassOutcome& pass) const {
  for (std::size_t i = 0; i < pass.channels.size(); ++i) {
    const auto& failure = pass.channels[i].failure;
    if (!failure) continue;
    note_(fmt::format("{}[GPU {} CH {}] {} failed: {}", what, state_->plan.gpu, i,
                      operation_name(failure->operation, state_->role), failure->error.message()));
  }
}

}  // namespace hawser
