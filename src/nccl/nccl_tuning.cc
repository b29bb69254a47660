#include "nccl/nccl_tuning.h"

#include <cstdlib>

#include "base/log.h"
#include "base/parameters.h"

namespace hawser::plugin {
namespace {

// NCCL cuts sends into requests of 128 KiB by default, and has 8 of them in flight per channel: of
// that a connection over several sockets has too little (docs/nccl-plugin.md has the figures).
constexpr const char* kChunkBytes = "524288";

}  // namespace

void tune_nccl() {
  const Parameter& chunk = parameters::kNcclP2pNetChunkSize;
  const auto wanted = parameters::kNcclTuning.choice();
  if (!wanted.ok()) log_warning("{}", wanted.error().message());
  if (!wanted.ok() || *wanted == "off" || chunk.text()) return;
  setenv(chunk.name, kChunkBytes, 0);
  log_info("{}={}, since it is unset ({}=off leaves it so)", chunk.name, kChunkBytes,
           parameters::kNcclTuning.name);
}

}  // namespace hawser::plugin
