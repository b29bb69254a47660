#include "perf/agreement.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <string>

#include "base/parameters.h"
#include "engine/engine_core.h"
#include "perf/ring.h"

namespace hawser {
namespace {

// Staged GPU memory is copied through slots of this size.
constexpr std::uint64_t kStagedChunkBytes = 512 * 1024;
constexpr int kMostWindow = 256;  // where the transport would take even more

// A client that measures a link says so before the name of its transport.
constexpr std::string_view kLinkOver = "link over ";

std::string transport_text(PerfOver over, const Net& net) {
  return over == PerfOver::link ? std::string(kLinkOver) + net.name() : net.name();
}

std::uint64_t chunk_bytes_of(const PerfOptions& options, PerfOver over,
                             const Environment& environment) {
  const NetCapabilities& can = environment.net_device().capabilities;
  const std::uint64_t most =
      std::min<std::uint64_t>(can.max_request_bytes, wire::kMaxTransferBytes);
  if (over == PerfOver::link)
    return std::min<std::uint64_t>({most, engine::wire::kMaxChunkBytes,
                                    options.chunk_bytes != 0
                                        ? options.chunk_bytes
                                        : engine::default_chunk_bytes(CudaDriver::load().ok())});
  if (options.chunk_bytes != 0) return std::min(most, options.chunk_bytes);
  const bool staged = environment.memory == MemoryKind::cuda && !can.cuda_pointers;
  return staged ? std::min(most, kStagedChunkBytes) : most;
}

int window_of(const PerfOptions& options, const Environment& environment) {
  // Writes under way are no requests of the transport: the engine has those in hand.
  if (options.over == PerfOver::link) return options.window == 0 ? kMostWindow : options.window;
  const int most = std::clamp(environment.net_device().capabilities.max_requests, 1, kMostWindow);
  return options.window == 0 ? most : std::min(options.window, most);
}

std::uint64_t memory_of_machine() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_bytes = ::sysconf(_SC_PAGE_SIZE);
  return static_cast<std::uint64_t>(std::max(pages, 0L)) *
         static_cast<std::uint64_t>(std::max(page_bytes, 0L));
}

// What a channel, or a link, needs for the largest of the sizes, in whole pages.
std::uint64_t largest_ring(const PerfOptions& options, int window) {
  const std::size_t rings = options.over == PerfOver::link ? options.channels : 1;
  std::uint64_t most = kPageBytes;
  for (const std::uint64_t bytes : options.sizes)
    most = std::max(most, bytes * ring_slots(bytes, options.ring_bytes * rings,
                                             static_cast<std::size_t>(window) * rings));
  return (most + kPageBytes - 1) / kPageBytes * kPageBytes;
}

Status check_hello(const wire::Hello& said, const PerfOptions& options, const Net& net) {
  if (said.purpose != wire::Purpose::performance)
    return Error(Code::peer, "the client comes to validate, this is a server of `hawser perf`");
  if (said.transport != transport_text(over_of(said.transport), net))
    return Error(Code::peer, fmt::format("the client's transport is '{}', the server's '{}': give "
                                         "both sides the same --plugin",
                                         said.transport, net.name()));
  if (said.target_gpu != static_cast<std::uint32_t>(options.gpu))
    return Error(Code::peer, fmt::format("the client wants GPU {}, this server is GPU {}: check "
                                         "--gpu, --peer-gpu and --port-base",
                                         said.target_gpu, options.gpu));
  if (said.channels == 0 || said.bytes == 0)
    return Error(Code::protocol, "the client wants no channels, or channels without buffers");
  return {};
}

}  // namespace

PerfOver over_of(std::string_view transport) {
  return transport.starts_with(kLinkOver) ? PerfOver::link : PerfOver::net;
}

wire::Hello hello_of(const PerfOptions& options, const Environment& environment) {
  wire::Hello hello;
  hello.gpu = static_cast<std::uint32_t>(options.gpu);
  hello.target_gpu = static_cast<std::uint32_t>(options.peer_gpu);
  hello.channels = static_cast<std::uint32_t>(options.channels);
  hello.bytes = largest_ring(options, window_of(options, environment));
  hello.max_request_bytes = chunk_bytes_of(options, options.over, environment);
  hello.memory = environment.memory == MemoryKind::cuda ? 2 : 1;
  hello.purpose = wire::Purpose::performance;
  hello.transport = transport_text(options.over, *environment.transport.net);
  return hello;
}

wire::PerfSetup setup_of(const PerfOptions& options, const Environment& environment) {
  return {static_cast<std::uint32_t>(window_of(options, environment)),
          static_cast<std::uint32_t>(options.bare_sockets), options.ring_bytes,
          static_cast<std::uint8_t>(static_cast<int>(options.idle) + 1)};
}

Result<wire::Plan> answer(const wire::Hello& said, const PerfOptions& options,
                          const Environment& environment) {
  HAWSER_TRY(check_hello(said, options, *environment.transport.net));
  HAWSER_TRY(check_memory(said.bytes, said.channels, over_of(said.transport), 0));
  wire::Plan plan;
  plan.gpu = static_cast<std::uint32_t>(options.gpu);
  plan.channels = said.channels;
  plan.iterations = 1;
  plan.timeout_ms = static_cast<std::uint32_t>(options.timeout_ms);
  plan.bytes = said.bytes;
  plan.chunk_bytes = std::min(chunk_bytes_of(options, over_of(said.transport), environment),
                              said.max_request_bytes);
  plan.seed = std::random_device()() | (std::uint64_t{std::random_device()()} << 32);
  plan.transport = said.transport;
  return plan;
}

Status check_memory(std::uint64_t bytes, std::uint32_t channels, PerfOver over,
                    std::uint32_t bare_sockets) {
  HAWSER_ASSIGN(const std::int64_t given, parameters::kPerfBytes.integer());
  const std::uint64_t most =
      given != 0 ? static_cast<std::uint64_t>(given) : memory_of_machine() / 2;
  const std::uint64_t rings = over == PerfOver::link ? 1 : channels;
  const std::uint64_t buffers = 2 * (rings + bare_sockets);
  if (bytes <= most / buffers) return {};
  return Error(Code::peer,
               fmt::format("{} buffers of {} bytes are more than the {} that this server allocates "
                           "for a client ({}): ask for smaller sizes, fewer channels or "
                           "--bare-sockets, or raise that",
                           buffers, bytes, most, parameters::kPerfBytes.name));
}

Status check_answer(const wire::Hello& asked, const wire::Plan& answered) {
  if (answered.chunk_bytes <= asked.max_request_bytes && answered.channels == asked.channels &&
      answered.bytes == asked.bytes && answered.transport == asked.transport)
    return {};
  return Error(Code::protocol, "the server planned something else than this side asked for");
}

}  // namespace hawser
