// After a pass that failed: what further ones find out. Both sides make the same ones, since both
// decide by what both have said.
#include <fmt/core.h>

#include "validation/run.h"

namespace hawser {
namespace {

// As the messages number them.
constexpr std::uint32_t kSerializedPass = 1;
constexpr std::uint32_t kLonePass = 2;
static_assert(kLonePass < PeerBoard::kMaxPasses);

}  // namespace

void Run::look_further(Outcome& outcome) {
  if (outcome.first.peer_lost) return;
  if (!outcome.first.serialized && !settled_.created) {
    auto retry = another_pass(kSerializedPass, outcome.first.channels.size(),
                              "all channels again, made one at a time");
    if (retry.ok()) outcome.retry = std::move(*retry);
  }
  if (outcome.first.channels.size() == 1) return;
  auto alone = another_pass(kLonePass, 1, "one channel alone");
  if (alone.ok()) outcome.alone = std::move(*alone);
  if (!alone.ok()) outcome.alone_missing = alone.error().message();
}

bool Run::usable() const {
  return !abandoned_ && !state_->environment.transport.net->ended();
}

Status Run::can_go_on() const {
  if (!settled_.can_go_on || !usable())
    return Error(Code::plugin, "a plugin's call never came back, or the plugin has ended");
  const auto lost = state_->board->lost();
  return lost ? Status(*lost) : Status();
}

Result<PassOutcome> Run::another_pass(std::uint32_t index, std::size_t channels, const char* what) {
  const auto begin = [&]() -> Status {
    HAWSER_TRY(can_go_on());
    close();
    return can_go_on();
  };
  PassOutcome pass;
  pass.serialized = true;
  pass.channels.resize(channels);
  if (const Status begun = begin(); !begun.ok()) return begun.error();
  note_(fmt::format("trying {}", what));
  create(index, pass);
  iterate(index, pass);
  settle(index, pass);
  if (pass.peer_lost) {
    note_(fmt::format("{} could not be tried: {}", what, pass.peer_lost_reason));
    return Error(Code::peer, pass.peer_lost_reason);
  }
  note_failures(fmt::format("{}: ", what), pass);
  return pass;
}

}  // namespace hawser
