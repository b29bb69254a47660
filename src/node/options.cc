#include "node/options.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/parameters.h"
#include "bootstrap/rendezvous.h"

namespace hawser::node {
namespace {

constexpr int kMaxTimeoutMs = 24 * 3600 * 1000;
constexpr std::uint64_t kMaxChunkBytes = std::uint64_t{4} << 20;

// A number's option, and what it takes.
template <class T>
Status in_range(const char* option, T value, T min, T max) {
  if (value >= min && value <= max) return {};
  return Error(Code::invalid_argument,
               fmt::format("{}: {}, want {} to {}", option, value, min, max));
}

}  // namespace

Status check_options(const NodeOptions& options) {
  if (options.address.empty())
    return Error(Code::invalid_argument, "address: want an IP address or a host name");
  HAWSER_TRY(in_range("gpus", options.gpus, 0, kMaxGpus));
  HAWSER_TRY(in_range("channels", options.channels, 0, kMaxChannelsPerDevice));
  HAWSER_TRY(in_range("bytes", options.bytes, std::uint64_t{1}, kMaxBytes));
  HAWSER_TRY(in_range("iterations", options.iterations, std::uint64_t{1}, kMaxIterations));
  HAWSER_TRY(in_range("chunk bytes", options.chunk_bytes, std::uint64_t{0}, kMaxChunkBytes));
  HAWSER_TRY(in_range("seconds in ms", options.duration_ms, 0, static_cast<int>(kMaxDurationMs)));
  HAWSER_TRY(in_range("timeout in ms", options.timeout_ms, 100, kMaxTimeoutMs));
  const auto last_port = channel_port(options.port_base, std::max(options.gpus, 1) - 1, 0);
  return last_port.ok() ? Status() : last_port.error();
}

Result<NodeOptions> completed(NodeOptions options) {
  if (options.port_base == 0) {
    HAWSER_ASSIGN(const std::int64_t base, parameters::kPortBase.integer());
    options.port_base = static_cast<int>(base);
  }
  return options;
}

}  // namespace hawser::node
