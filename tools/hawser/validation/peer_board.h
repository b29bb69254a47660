// What the other side has said so far, and waiting for it to say more.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <tuple>

#include "base/clock.h"
#include "base/result.h"
#include "bootstrap/wire.h"
#include "net/net.h"

namespace hawser {

// Thread-safe: the control connection's thread writes, the channels' threads and the
// main one wait. Bounded: only passes and channels of the plan are kept, all else is the peer's
// protocol error and ends it.
class PeerBoard {
 public:
  static constexpr std::uint32_t kMaxPasses = 3;

  explicit PeerBoard(std::uint32_t channels) : channels_(channels) {}

  void on_message(const wire::Message& message);
  void on_lost(const Error& error);

  // Each returns at once when the peer is lost; a timeout says what did not come.
  Result<Handle> wait_handle(std::uint32_t pass, std::uint32_t channel, const Deadline& deadline);
  Result<wire::ChannelStatus> wait_status(std::uint32_t pass, wire::Stage stage,
                                          std::uint32_t channel, const Deadline& deadline);
  Status wait_barrier(std::uint32_t id, const Deadline& deadline);

  // Why channel `channel` cannot go on: the peer failed there, or is gone. For Interrupts.
  std::optional<Error> broken(std::uint32_t pass, std::uint32_t channel) const;
  std::optional<Error> lost() const;
  // What the other side said of a channel of its own that failed.
  std::optional<wire::ChannelStatus> failure(std::uint32_t pass, std::uint32_t channel) const;
  // Said before the last barrier of a pass.
  std::optional<wire::PassDone> pass_done(std::uint32_t pass) const;

  // Before the next iteration: its statuses are new ones. A failure stays: it ends its channel.
  void forget(std::uint32_t pass, wire::Stage stage);

 private:
  using Place = std::pair<std::uint32_t, std::uint32_t>;  // pass, channel
  using StagePlace = std::tuple<std::uint32_t, wire::Stage, std::uint32_t>;

  bool known(std::uint32_t pass, std::uint32_t channel) const;
  void keep(const wire::HandleOffer& offer);
  void keep(const wire::ChannelStatus& status);
  void keep(const wire::PassDone& done);
  std::optional<wire::ChannelStatus> failed(std::uint32_t pass, std::uint32_t channel) const;
  void lose(const Error& error);
  template <class Ready>
  Status wait(const Deadline& deadline, std::string_view what, Ready&& ready);

  const std::uint32_t channels_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::map<Place, Handle> handles_;
  std::map<StagePlace, wire::ChannelStatus> statuses_;
  std::map<std::uint32_t, wire::PassDone> done_;  // by pass
  std::uint32_t barrier_ = 0;                     // the highest reached: ids only grow
  std::optional<Error> lost_;
};

}  // namespace hawser
