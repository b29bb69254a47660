// Checks what a user asked of a node.
#pragma once

#include "base/result.h"
#include "node/node.h"

namespace hawser::node {

inline constexpr int kMaxGpus = 256;
inline constexpr int kMaxChannelsPerDevice = 64;
inline constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 40;  // per iteration
inline constexpr std::uint64_t kMaxIterations = std::uint64_t{1} << 40;
inline constexpr std::uint64_t kMaxDurationMs = std::uint64_t{24} * 3600 * 1000;

// Code::invalid_argument names the option, and what it takes. `options` are completed() ones.
Status check_options(const NodeOptions& options);
// The same with the defaults that the environment has.
Result<NodeOptions> completed(NodeOptions options);

}  // namespace hawser::node
