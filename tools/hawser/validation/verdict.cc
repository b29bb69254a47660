#include "validation/verdict.h"

#include <fmt/core.h>

#include <tuple>

#include "base/text.h"
#include "validation/next_step.h"

namespace hawser {
namespace {

// How little a failure tells about what happened: a call that was refused tells most, an end that
// only followed from the other side's tells nothing.
int silence(const ChannelFailure& failure) {
  if (failure.operation == Operation::peer) return failure.error.code() == Code::peer ? 5 : 4;
  switch (failure.error.code()) {
    case Code::plugin:
    case Code::data:
      return 0;
    case Code::timeout:
      return 2;
    case Code::peer:
    case Code::cancelled:
      return 3;
    default:
      return 1;
  }
}

// A failure with its place; `text` is the same on both sides.
Cause cause_of(std::size_t channel, Role role, const ChannelFailure& failure, std::string text) {
  return {failure.operation, failure.error.code(),
          fmt::format("channel {} on the {}: {}", channel,
                      role == Role::server ? "server" : "client", text)};
}

// Looks at both sides' failures alike. Of those that tell as much: of the first channel, the
// server's.
class MostTelling {
 public:
  explicit MostTelling(Role own_role) : own_role_(own_role) {}

  void look_at(std::size_t channel, const ChannelOutcome& outcome) {
    const Role other = own_role_ == Role::server ? Role::client : Role::server;
    if (const auto& own = outcome.failure)
      take(channel, own_role_, *own, failure_text(*own, own_role_));
    if (const auto& theirs = outcome.peer_failure)
      take(channel, other, *theirs, theirs->error.message());
  }
  const Cause& cause() const { return cause_; }

 private:
  void take(std::size_t channel, Role role, const ChannelFailure& failure, std::string text) {
    const auto rank = std::tuple(silence(failure), channel, role == Role::server ? 0 : 1);
    if (taken_ && rank >= rank_) return;
    taken_ = true;
    rank_ = rank;
    cause_ = cause_of(channel, role, failure, std::move(text));
  }

  const Role own_role_;
  bool taken_ = false;
  std::tuple<int, std::size_t, int> rank_;
  Cause cause_{Operation::peer, Code::internal, "no reason is known"};
};

Cause telling_failure(const PassOutcome& pass, Role own_role) {
  MostTelling most(own_role);
  for (std::size_t channel = 0; channel < pass.channels.size(); ++channel)
    most.look_at(channel, pass.channels[channel]);
  return most.cause();
}

// Channels can make each other's calls fail and spoil each other's bytes. That nothing moved, a
// peer that went, or a size that is wrong, has other causes.
bool channels_can_cause(const Cause& cause) {
  return cause.kind == Code::plugin || cause.kind == Code::data;
}

Verdict undetermined(std::string reason, std::string next_step) {
  return {Conclusion::undetermined, std::move(reason), std::move(next_step), false};
}

Verdict of_failed_lone_channel(const Outcome& outcome) {
  const Cause cause = telling_failure(*outcome.alone, outcome.subject.role);
  const bool unsteady = outcome.retry && outcome.retry->passed();
  return undetermined(
      fmt::format("{}: {}",
                  unsteady ? "one channel alone fails, though all passed when made one at a time"
                           : "one channel alone fails, too",
                  cause.text),
      next_step(outcome.subject, cause));
}

Verdict of_failed_channels(const Outcome& outcome) {
  const Subject& subject = outcome.subject;
  const Cause cause = telling_failure(outcome.first, subject.role);
  const std::string step = next_step(subject, cause);
  if (subject.channels == 1)
    return undetermined("one channel was asked for, and it failed: " + cause.text, step);
  if (!outcome.alone)
    return undetermined(fmt::format("{}; whether one channel alone passes is not known: {}",
                                    cause.text, outcome.alone_missing),
                        step);
  if (!outcome.alone->passed()) return of_failed_lone_channel(outcome);
  if (!channels_can_cause(cause))
    return undetermined(
        cause.text + "; one channel alone passes, but this is no sign of a conflict", step);
  return {Conclusion::conflict, cause.text, next_step_of_conflict(subject),
          cause.kind == Code::data};
}

// How the bytes travelled, where the report would otherwise speak of devmem.
std::string path_text(const Subject& subject) {
  const bool staged =
      subject.memory == MemoryKind::cuda && !subject.device.capabilities.cuda_pointers;
  const char* const memory = subject.memory == MemoryKind::host ? "host memory"
                             : staged ? "cuda memory staged through host memory"
                                      : "cuda memory";
  const char* const place = subject.isolated ? " in a process of its own (isolated)" : "";
  switch (subject.device.devmem) {
    case Devmem::real:
      return fmt::format("{} over {}{}", memory, subject.transport, place);
    case Devmem::emulated:
      return fmt::format("{} over emulated TCPX {}{}", memory, subject.transport, place);
    case Devmem::none:
      break;
  }
  return fmt::format("{} over {}{}, not TCPX", memory, subject.transport, place);
}

// An isolated plugin gets host memory, whatever the user's is.
bool tests_devmem(const Subject& subject) {
  return subject.memory == MemoryKind::cuda && subject.device.devmem == Devmem::real &&
         !subject.isolated;
}

// All passed, but how much was tried?
std::string resolved_text(const Outcome& outcome) {
  if (outcome.subject.channels == 1) return "NOT TESTED (one channel only)";
  return outcome.first.serialized ? "RESOLVED (channels created one at a time)" : "RESOLVED";
}

}  // namespace

const char* conclusion_name(Conclusion conclusion) {
  switch (conclusion) {
    case Conclusion::works:
      return "works";
    case Conclusion::conflict:
      return "conflict";
    case Conclusion::undetermined:
      return "not determined";
  }
  return "?";
}

Verdict judge(const Outcome& outcome) {
  if (outcome.not_run)
    return undetermined(printable(outcome.not_run->message()),
                        next_step_without_run(*outcome.not_run));
  if (outcome.first.passed()) return {Conclusion::works, "", "", false};
  if (outcome.first.peer_lost)
    return undetermined(outcome.first.peer_lost_reason, next_step_of_lost_peer());
  return of_failed_channels(outcome);
}

std::string devmem_finding(const Outcome& outcome, Conclusion conclusion) {
  if (!tests_devmem(outcome.subject))
    return fmt::format("NOT TESTED ({})", path_text(outcome.subject));
  switch (conclusion) {
    case Conclusion::works:
      return resolved_text(outcome);
    case Conclusion::conflict:
      return "STILL PRESENT";
    case Conclusion::undetermined:
      break;
  }
  return "NOT DETERMINED";
}

}  // namespace hawser
