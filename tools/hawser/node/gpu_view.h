// What the thread of one GPU lets others see.
#pragma once

#include <mutex>
#include <optional>

#include <hawser/link.h>

#include "node/outcome.h"

namespace hawser::node {

enum class Stage { meeting, preparing, moving, ended };

struct GpuSample {
  Stage stage = Stage::meeting;
  std::uint64_t moved = 0;  // payload, sent and received
  int channels_up = 0;
  int channels_down = 0;
};

// Thread-safe.
class GpuView {
 public:
  void enter(Stage stage);
  void take_link(const Link& link);
  GpuSample sample() const;

  // The end of the thread's work.
  void leave(GpuOutcome outcome);
  // Nothing: it has not left.
  std::optional<GpuOutcome> outcome() const;
  bool left() const;

 private:
  mutable std::mutex mutex_;  // guards all below
  Stage stage_ = Stage::meeting;
  Link link_;
  std::optional<GpuOutcome> outcome_;
};

}  // namespace hawser::node
