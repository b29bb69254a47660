// Which of a Net's devices a link may use.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <hawser/engine.h>

#include "base/result.h"
#include "gpu/driver.h"
#include "net/net.h"

namespace hawser::engine {

// A value.
class NicChoice {
 public:
  // `driver` may be null: then GPUs have no places, and all NICs serve each.
  static Result<NicChoice> create(Net& net, const CudaDriver* driver, const EngineOptions& options);

  // All of them; loopback only where there is nothing else, or it was asked for.
  const std::vector<int>& all() const { return all_; }
  // Code::invalid_argument names what there is.
  Result<std::vector<int>> for_link(Net& net, const LinkOptions& options) const;
  // The first GPU that this NIC serves; -1: none that is known.
  int gpu_near(int device) const;

 private:
  std::vector<int> all_;
  std::vector<std::vector<int>> by_gpu_;  // of those that the driver shows
};

}  // namespace hawser::engine
