// One run's shared state, and what each channel's thread does with it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "bootstrap/session.h"
#include "channel/channel_manager.h"
#include "memory/pattern.h"
#include "side/environment.h"
#include "validation/outcome.h"
#include "validation/peer_board.h"
#include "validation/validate.h"

namespace hawser {

// What one channel owns. Touched by its own thread while a phase runs, by the main one between
// phases.
struct ChannelSlot {
  std::optional<Buffer> buffer;
  std::shared_ptr<Channel> channel;
  Registration* registration = nullptr;
};

// Everything a channel's thread may touch. Shared, since a thread that a plugin never lets go
// outlives the run. The members are destroyed from the last to the first: the session stops before
// the board goes, registrations go before the buffers they cover.
struct RunState {
  RunState(Role side, Environment where, const wire::Plan& agreed);

  ChannelOptions channel_options() const;
  PatternKey pattern(std::size_t channel, std::uint32_t iteration) const;
  // Tells the other side what became of a channel; a lost peer is noticed elsewhere.
  void tell(std::uint32_t pass, wire::Stage stage, std::size_t channel,
            const std::optional<ChannelFailure>& failure);

  const Role role;
  const Environment environment;
  const wire::Plan plan;
  std::vector<ChannelSlot> slots;
  ChannelManager manager;
  const std::shared_ptr<PeerBoard> board;
  std::unique_ptr<Session> session;
};

// The parts of a channel's life, each for one thread at a time; every wait keeps to
// `plan.timeout_ms`.
class ChannelRun {
 public:
  ChannelRun(RunState& state, std::uint32_t pass, std::size_t channel);

  // listen + accept or connect, then reg_mr; tells the peer and hears how it fared there.
  ChannelStep create();
  // Fills what is sent; spoils what will be received, so that old bytes cannot pass for new ones.
  ChannelStep prepare(std::uint32_t iteration);
  // Moves the bytes, compares each where we receive, tells the peer and hears from it.
  ChannelStep transfer(std::uint32_t iteration);

 private:
  using Failure = std::optional<ChannelFailure>;

  Failure enter(Operation doing) const;
  Failure open();
  Failure open_receiver();
  Failure open_sender();
  Failure register_memory();
  Error explained(const Error& error) const;
  Failure fill(std::uint32_t iteration) const;
  Failure move();
  Failure verify(std::uint32_t iteration) const;
  // Tells the peer how this side's part ended, and where it ended well, waits for the peer's.
  ChannelStep exchange(wire::Stage stage, Failure failed) const;
  Failure hear(wire::Stage stage) const;
  // A call that was broken off because the other side's part failed has not failed itself, unless
  // what failed there is that nothing happened in time.
  ChannelFailure blamed(Operation operation, const Error& error) const;
  WaitBound bound();
  ChannelKey key() const;
  ChannelSlot& slot() const { return state_.slots[channel_]; }
  MemoryRange memory() const { return slot().buffer->range().slice(0, state_.plan.bytes); }

  RunState& state_;
  std::uint32_t pass_;
  std::size_t channel_;
  Deadline deadline_;
  bool broken_off_ = false;  // a wait, by the other side's failure or its loss
};

}  // namespace hawser
