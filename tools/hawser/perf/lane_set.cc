#include "perf/lane_set.h"

#include <fmt/core.h>

namespace hawser {

LaneSet::LaneSet(const Environment& environment, const LaneOptions& options)
    : environment_(environment),
      options_(options),
      lanes_(static_cast<std::size_t>(options.lanes)),
      handles_(lanes_.size()),
      manager_(environment.transport.net) {}

ChannelKey LaneSet::key(std::size_t lane, bool inward) const {
  const int gpu = environment_.gpu ? environment_.gpu->info().ordinal : 0;
  return {gpu, environment_.device, static_cast<int>(2 * lane + (inward ? 1 : 0))};
}

Status LaneSet::open(Session& session, Inbox& inbox, const WaitBound& bound) {
  HAWSER_TRY(listen(session));
  HAWSER_TRY(hear(inbox, bound.deadline));
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) HAWSER_TRY(join(lane, bound));
  listeners_.clear();
  for (Lane& lane : lanes_) {
    HAWSER_TRY(furnish(lane.out));
    HAWSER_TRY(furnish(lane.in));
  }
  return {};
}

Status LaneSet::listen(Session& session) {
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    HAWSER_ASSIGN(auto listener, manager_.listen(key(lane, true)));
    HAWSER_TRY(session.send(
        wire::HandleOffer{own_pass(), static_cast<std::uint32_t>(lane), listener->handle()}));
    listeners_.push_back(std::move(listener));
  }
  return {};
}

Status LaneSet::hear(Inbox& inbox, const Deadline& deadline) {
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    HAWSER_ASSIGN(const auto offer, inbox.wait<wire::HandleOffer>(
                                        deadline, fmt::format("channel {}'s handle", lane)));
    if (offer.pass != 1 - own_pass() || offer.channel != lane)
      return Error(Code::protocol,
                   fmt::format("a handle for channel {} of pass {} where channel {} of pass {} was "
                               "due",
                               offer.channel, offer.pass, lane, 1 - own_pass()));
    handles_[lane] = offer.handle;
  }
  return {};
}

// A lane's way from the client to the server first, then the way back: while one side accepts, the
// other connects.
Status LaneSet::join(std::size_t lane, const WaitBound& bound) {
  if (options_.role == Role::server) {
    HAWSER_TRY(accept(lane, bound));
    return connect(lane, bound);
  }
  HAWSER_TRY(connect(lane, bound));
  return accept(lane, bound);
}

Status LaneSet::accept(std::size_t lane, const WaitBound& bound) {
  auto channel =
      manager_.accept(key(lane, true), std::move(listeners_[lane]), options_.channel, bound);
  if (!channel.ok()) return channel.error().within(fmt::format("accepting channel {}", lane));
  lanes_[lane].in.channel = std::move(*channel);
  return {};
}

Status LaneSet::connect(std::size_t lane, const WaitBound& bound) {
  auto channel = manager_.connect(key(lane, false), handles_[lane], options_.channel, bound);
  if (!channel.ok()) return channel.error().within(fmt::format("connecting channel {}", lane));
  lanes_[lane].out.channel = std::move(*channel);
  return {};
}

Status LaneSet::furnish(OneWay& way) {
  HAWSER_ASSIGN(way.buffer, environment_.allocate(options_.ring_bytes + kPageBytes));
  HAWSER_ASSIGN(way.registration, manager_.register_devmem_once(*way.channel, way.buffer->range()));
  return {};
}

void LaneSet::close() {
  for (Lane& lane : lanes_) {
    lane.out.channel.reset();
    lane.in.channel.reset();
  }
  manager_.close_all();
}

}  // namespace hawser
