#include "node/progress.h"

#include <fmt/core.h>

#include <chrono>

namespace hawser::node {
namespace {

double seconds_between(TimePoint from, TimePoint to) {
  return std::chrono::duration<double>(to - from).count();
}

const char* stage_text(Stage stage) {
  switch (stage) {
    case Stage::meeting:
      return "meeting";
    case Stage::preparing:
      return "preparing";
    case Stage::moving:
      return "moving";
    case Stage::ended:
      return "ended";
  }
  return "?";
}

// "6 moving, 2 ended"
std::string stages(const std::vector<GpuSample>& views) {
  std::string text;
  for (const Stage stage : {Stage::meeting, Stage::preparing, Stage::moving, Stage::ended}) {
    int count = 0;
    for (const GpuSample& view : views) count += view.stage == stage ? 1 : 0;
    if (count > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, stage_text(stage));
  }
  return text;
}

std::string channels_text(const std::vector<GpuSample>& views) {
  int up = 0, down = 0;
  for (const GpuSample& view : views) {
    up += view.channels_up;
    down += view.channels_down;
  }
  return fmt::format("channels {} up, {} down", up, down);
}

}  // namespace

std::string Progress::line(const std::vector<GpuSample>& views, TimePoint now) {
  const double passed_s = seconds_between(last_, now);
  moved_.resize(views.size());
  double total = 0;
  std::string each;
  for (std::size_t i = 0; i < views.size(); ++i) {
    const std::uint64_t moved = views[i].moved > moved_[i] ? views[i].moved - moved_[i] : 0;
    const double rate = passed_s > 0 ? static_cast<double>(moved) / passed_s / 1e9 : 0;
    total += rate;
    each += fmt::format("{}{:.2f}", i == 0 ? "" : " ", rate);
    moved_[i] = views[i].moved;
  }
  last_ = now;
  return fmt::format("{:.1f} s: {:.3f} GB/s now (by GPU: {}); {}; GPUs: {}",
                     seconds_between(start_, now), total, each, channels_text(views),
                     stages(views));
}

}  // namespace hawser::node
