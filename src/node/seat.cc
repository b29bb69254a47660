#include "node/seat.h"

namespace hawser::node {

void Seat::enter(Stage stage) {
  const std::lock_guard lock(mutex_);
  stage_ = stage;
}

void Seat::take_link(const Link& link) {
  const std::lock_guard lock(mutex_);
  link_ = link;
}

SeatSample Seat::sample() const {
  SeatSample sample;
  Link link;
  {
    const std::lock_guard lock(mutex_);
    sample.stage = stage_;
    link = link_;
  }
  if (!link) return sample;
  for (const ChannelReport& channel : link.report().channels) {
    sample.moved += channel.bytes_sent + channel.bytes_received;
    ++(channel.state == ChannelState::up ? sample.channels_up : sample.channels_down);
  }
  return sample;
}

void Seat::leave(GpuOutcome outcome) {
  const std::lock_guard lock(mutex_);
  stage_ = Stage::ended;
  outcome_ = std::move(outcome);
}

std::optional<GpuOutcome> Seat::outcome() const {
  const std::lock_guard lock(mutex_);
  return outcome_;
}

bool Seat::left() const {
  const std::lock_guard lock(mutex_);
  return outcome_.has_value();
}

}  // namespace hawser::node
