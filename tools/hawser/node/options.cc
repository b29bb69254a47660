#include "node/options.h"

#include <fmt/core.h>

#include <algorithm>

#include "bootstrap/rendezvous.h"
#include "side/checks.h"

namespace hawser::node {
namespace {

constexpr std::uint64_t kMaxChunkBytes = std::uint64_t{4} << 20;

}  // namespace

Status check_options(const NodeOptions& options) {
  HAWSER_TRY(check_side(options));
  HAWSER_TRY(in_range("gpus", options.gpus, 0, kMaxGpus));
  HAWSER_TRY(in_range("channels", options.channels, 0, kMaxChannelsPerDevice));
  HAWSER_TRY(in_range("bytes", options.bytes, std::uint64_t{1}, kMaxBytes));
  HAWSER_TRY(in_range("iterations", options.iterations, std::uint64_t{1}, kMaxIterations));
  HAWSER_TRY(in_range("chunk bytes", options.chunk_bytes, std::uint64_t{0}, kMaxChunkBytes));
  HAWSER_TRY(in_range("seconds in ms", options.duration_ms, 0, static_cast<int>(kMaxDurationMs)));
  const auto last_port = channel_port(options.port_base, std::max(options.gpus, 1) - 1, 0);
  return last_port.ok() ? Status() : last_port.error();
}

Result<NodeOptions> completed(NodeOptions options) {
  HAWSER_TRY(complete_port_base(options));
  return options;
}

}  // namespace hawser::node
