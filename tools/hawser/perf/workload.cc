#include "perf/workload.h"

#include "perf/time.h"

namespace hawser {
namespace {

bool finished(const Lane& lane) {
  return lane.out.channel->finished() && lane.in.channel->finished();
}

// One poll of a channel that still has something to do.
Result<bool> poll(Channel& channel) {
  if (channel.finished()) return false;
  return channel.progress();
}

// Polls in turn until all that was begun is finished.
Status drive(std::span<Lane* const> lanes, Watch& watch) {
  while (true) {
    bool moved = false;
    bool all = true;
    for (Lane* lane : lanes) {
      HAWSER_ASSIGN(const bool sent, poll(*lane->out.channel));
      HAWSER_ASSIGN(const bool received, poll(*lane->in.channel));
      moved = moved || sent || received;
      all = all && finished(*lane);
    }
    if (all) return {};
    HAWSER_TRY(watch.after(moved));
  }
}

Status drive(Channel& channel, Watch& watch) {
  while (!channel.finished()) {
    HAWSER_ASSIGN(const bool moved, channel.progress());
    HAWSER_TRY(watch.after(moved));
  }
  return {};
}

}  // namespace

Status stream(std::span<Lane* const> lanes, const StreamWork& work, Watch& watch) {
  const bool client = work.role == Role::client;
  for (Lane* lane : lanes) {
    if (!client || work.bidirectional) lane->in.begin(work.run);
    if (client || work.bidirectional) lane->out.begin(work.run);
  }
  HAWSER_TRY(drive(lanes, watch));
  for (Lane* lane : lanes) client ? lane->in.begin_token() : lane->out.begin_token();
  return drive(lanes, watch);
}

Status ping(Lane& lane, std::size_t bytes, std::uint64_t round_trips, Watch& watch,
            LatencyHistogram* round_trip_ns) {
  const MessageRun one{bytes};
  std::uint64_t before = now_ns();
  for (std::uint64_t i = 0; i < round_trips; ++i) {
    lane.in.begin(one);
    lane.out.begin(one);
    HAWSER_TRY(drive(*lane.out.channel, watch));
    HAWSER_TRY(drive(*lane.in.channel, watch));
    const std::uint64_t now = now_ns();
    if (round_trip_ns != nullptr) round_trip_ns->record(now - before);
    before = now;
  }
  return {};
}

Status pong(Lane& lane, std::size_t bytes, std::uint64_t round_trips, Watch& watch) {
  const MessageRun one{bytes};
  lane.in.begin(one);
  for (std::uint64_t i = 1; i <= round_trips; ++i) {
    HAWSER_TRY(drive(*lane.in.channel, watch));
    if (i < round_trips) lane.in.begin(one);  // posted before the client can send the next
    lane.out.begin(one);
    HAWSER_TRY(drive(*lane.out.channel, watch));
  }
  return {};
}

}  // namespace hawser
