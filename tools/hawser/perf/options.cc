#include "perf/options.h"

#include <fmt/core.h>

#include <algorithm>

#include "bootstrap/rendezvous.h"
#include "perf/sizes.h"
#include "side/checks.h"

namespace hawser {
namespace {

constexpr int kMaxThreads = 1024;
constexpr int kMaxSockets = 64;
// As EngineOptions and LinkOptions have them.
constexpr int kMaxLinkThreads = 64;
constexpr int kMaxLinkChannels = 64;
constexpr int kMaxRepeats = 10'000;

Status check_sizes(const std::vector<std::uint64_t>& sizes) {
  HAWSER_TRY(in_range("number of sizes", sizes.size(), std::size_t{0}, kMaxSizes));
  for (const std::uint64_t bytes : sizes)
    if (bytes < kSmallestMessageBytes || bytes > kLargestMessageBytes)
      return Error(Code::invalid_argument,
                   fmt::format("sizes: {} bytes, want 8 B to 1 GiB", bytes));
  return {};
}

Status check_port(const PerfOptions& options) {
  if (options.port_base == 0 && options.role == Role::server) return {};
  const auto port = channel_port(options.port_base, options.gpu, 0);
  return port.ok() ? Status() : port.error();
}

// Of a client; a server learns what it is from the client.
Status check_path(const PerfOptions& options) {
  const bool link = options.role == Role::client && options.over == PerfOver::link;
  HAWSER_TRY(in_range(link ? "channels over a link (--over net takes more)" : "channels",
                      options.channels, 0,
                      link ? kMaxLinkChannels : static_cast<int>(wire::kMaxChannels)));
  return in_range("threads", options.threads, 0, link ? kMaxLinkThreads : kMaxThreads);
}

}  // namespace

Status check_options(const PerfOptions& options) {
  HAWSER_TRY(check_side(options));
  HAWSER_TRY(in_range("gpu", options.gpu, 0, static_cast<int>(wire::kMaxGpus) - 1));
  HAWSER_TRY(check_path(options));
  HAWSER_TRY(in_range("window", options.window, 0, static_cast<int>(wire::kMaxWindow)));
  HAWSER_TRY(in_range("repeats", options.repeats, 1, kMaxRepeats));
  // A repeat has a warm-up, may last longer than planned, and must end within the timeout.
  HAWSER_TRY(in_range("duration in ms", options.duration_ms, 1, options.timeout_ms / 4));
  HAWSER_TRY(in_range("sockets", options.sockets, 0, kMaxSockets));
  HAWSER_TRY(
      in_range("bare sockets", options.bare_sockets, -1, static_cast<int>(wire::kMaxBareSockets)));
  HAWSER_TRY(in_range("ring bytes", options.ring_bytes, std::uint64_t{1}, kLargestMessageBytes));
  HAWSER_TRY(check_sizes(options.sizes));
  return check_port(options);
}

PerfOptions completed(PerfOptions options) {
  if (options.sizes.empty()) options.sizes = perf_default_sizes();
  if (options.peer_gpu < 0) options.peer_gpu = options.gpu;
  return options;
}

const char* over_name(PerfOver over) {
  return over == PerfOver::link ? "link" : "net";
}

const char* idle_name(PerfIdle idle) {
  switch (idle) {
    case PerfIdle::spin:
      return "spin";
    case PerfIdle::yield:
      return "yield";
    case PerfIdle::sleep:
      return "sleep";
  }
  return "?";
}

std::vector<std::uint64_t> perf_default_sizes() {
  std::vector<std::uint64_t> sizes{8, 64, 512};
  for (std::uint64_t bytes = 4096; bytes <= (std::uint64_t{64} << 20); bytes *= 4)
    sizes.push_back(bytes);
  return sizes;
}

bool parse_perf_sizes(std::string_view text, std::vector<std::uint64_t>& sizes,
                      std::string& error) {
  auto parsed = parse_sizes(text);
  if (parsed.ok())
    sizes = std::move(*parsed);
  else
    error = parsed.error().message();
  return parsed.ok();
}

}  // namespace hawser
