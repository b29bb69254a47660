#include "validation/run.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/bounded.h"
#include "base/log.h"
#include "validation/steps.h"

namespace hawser {
namespace {

// A channel's thread keeps to the deadline, and waits a little for the peer's word: one that is not
// back after this much more hangs in a call.
constexpr Milliseconds kHangSlack{4000};

constexpr std::uint32_t kFirstPass = 0;  // those behind it are in further_passes.cc

std::vector<std::size_t> unfailed(const PassOutcome& pass) {
  std::vector<std::size_t> channels;
  for (std::size_t i = 0; i < pass.channels.size(); ++i)
    if (!pass.channels[i].failure) channels.push_back(i);
  return channels;
}

bool never_began(const ChannelStep& step) {
  return step.failure && step.failure->operation == Operation::stuck;
}

// The operation in which the host makes that call of a plugin.
Operation operation_of_call(std::string_view entry) {
  if (entry == "listen") return Operation::listen;
  if (entry == "accept" || entry == "closeListen") return Operation::accept;
  if (entry == "connect") return Operation::connect;
  if (entry == "regMr" || entry == "regMrDmaBuf") return Operation::reg_mr;
  return Operation::transfer;
}

}  // namespace

Status Run::execute(Outcome& outcome) {
  PassOutcome& first = outcome.first;
  first.serialized = state_->plan.serialize_create;
  first.channels.resize(state_->plan.channels);
  HAWSER_TRY(allocate());
  create(kFirstPass, first);
  report_.creation(first);
  iterate(kFirstPass, first);
  settle(kFirstPass, first);
  report_.transfers(first);
  note_failures("", first);
  if (!first.passed()) look_further(outcome);
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
  reached("created");
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
      [last = number + 1 == state_->plan.iterations](ChannelOutcome& channel, bool done) {
        channel.transferred = done && last;
      });
}

void Run::settle(std::uint32_t index, PassOutcome& pass) {
  reached("close");
  log_debug("pass {} is done: waiting for the other side's word", index);
  const wire::PassDone own{index, !pass.creation_failed(), usable()};
  static_cast<void>(state_->session->send(own).ok());  // meet() finds out
  const bool met = meet();
  hear_failures(index, pass);
  const auto theirs = state_->board->pass_done(index);
  if (met && theirs) {  // from now on the other side may go: that is no loss
    settled_ = {index, own.created && theirs->created, own.can_go_on && theirs->can_go_on};
    return;
  }
  state_->board->on_lost(Error(Code::protocol, "the other side ended a pass without a word"));
  note_losses(pass);
}

void Run::hear_failures(std::uint32_t index, PassOutcome& pass) const {
  for (std::size_t i = 0; i < pass.channels.size(); ++i) {
    const auto there = state_->board->failure(index, static_cast<std::uint32_t>(i));
    if (!there) continue;
    ChannelOutcome& channel = pass.channels[i];
    channel.peer_failure = ChannelFailure{there->operation, Error(there->kind, there->reason)};
    if (!channel.failure)
      channel.failure = ChannelFailure{Operation::peer, Error(Code::peer, there->reason)};
  }
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

void Run::phase(std::uint32_t index, wire::Stage stage, PassOutcome& pass, const Work& work,
                const std::function<void(ChannelOutcome&, bool done)>& store) {
  const ChannelTask task = [state = state_, index, work](std::size_t channel) {
    ChannelRun run(*state, index, channel);
    return work(run);
  };
  const bool one_by_one = pass.serialized && stage == wire::Stage::created;
  const Milliseconds give_up = Milliseconds(state_->plan.timeout_ms) + kHangSlack;
  for (PhaseResult& result : run_phase(unfailed(pass), one_by_one, task, give_up)) {
    if (result.abandoned) result.step = abandon(result.channel);
    // A thread that did not come back, or never began, has told the other side nothing.
    if (result.abandoned || never_began(result.step))
      state_->tell(index, stage, result.channel, result.step.failure);
    ChannelOutcome& channel = pass.channels[result.channel];
    channel.failure = std::move(result.step.failure);
    store(channel, result.step.done);
  }
  note_losses(pass);
}

ChannelStep Run::abandon(std::size_t channel) {
  abandoned_ = true;
  const std::string label = fmt::format("channel {}", channel);
  ChannelFailure failure{Operation::stuck, Error(Code::timeout, "its thread did not come back")};
  if (const auto& journal = state_->environment.transport.journal)
    for (const CurrentCall& call : journal->current_calls())
      if (call.label == label)
        failure = {operation_of_call(call.entry), Error(Code::timeout, describe(call))};
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

void Run::note_failures(std::string_view what, const PassOutcome& pass) const {
  for (std::size_t i = 0; i < pass.channels.size(); ++i) {
    const auto& failure = pass.channels[i].failure;
    if (!failure) continue;
    note_(fmt::format("{}[GPU {} CH {}] {}", what, state_->plan.gpu, i,
                      failure_text(*failure, state_->role)));
  }
}

}  // namespace hawser
