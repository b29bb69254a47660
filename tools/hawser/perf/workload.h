// What a measurement does over lanes: streams of messages, and ping-pong.
#pragma once

#include <span>

#include "perf/histogram.h"
#include "perf/lane.h"
#include "perf/watch.h"
#include "side/choices.h"

namespace hawser {

// `run` over each lane at once, client to server, and with `bidirectional` back as well; back on
// the client when the server has every byte, on the server when it has told so (each lane's token),
// and on both when what comes the other way has come.
struct StreamWork {
  Role role = Role::server;
  bool bidirectional = false;
  MessageRun run;
};
// `lanes` belong to the calling thread. Both sides do the same work at the same time.
Status stream(std::span<Lane* const> lanes, const StreamWork& work, Watch& watch);

// `round_trips` messages there and back, one at a time, over one lane. The client records each
// round trip's time, where `round_trip_ns` is given.
Status ping(Lane& lane, std::size_t bytes, std::uint64_t round_trips, Watch& watch,
            LatencyHistogram* round_trip_ns);
Status pong(Lane& lane, std::size_t bytes, std::uint64_t round_trips, Watch& watch);

}  // namespace hawser
