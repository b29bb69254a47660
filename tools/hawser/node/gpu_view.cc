#include "node/gpu_view.h"

namespace hawser::node {

void GpuView::enter(Stage stage) {
  const std::lock_guard lock(mutex_);
  stage_ = stage;
}

void GpuView::take_link(const Link& link) {
  const std::lock_guard lock(mutex_);
  link_ = link;
}

GpuSample GpuView::sample() const {
  GpuSample sample;
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

void GpuView::leave(GpuOutcome outcome) {
  const std::lock_guard lock(mutex_);
  stage_ = Stage::ended;
  outcome_ = std::move(outcome);
}

std::optional<GpuOutcome> GpuView::outcome() const {
  const std::lock_guard lock(mutex_);
  return outcome_;
}

bool GpuView::left() const {
  const std::lock_guard lock(mutex_);
  return outcome_.has_value();
}

}  // namespace hawser::node
