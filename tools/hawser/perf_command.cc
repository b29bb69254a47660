#include <memory>

#include "commands.h"
#include "loopback.h"
#include "option_table.h"
#include "perf/perf.h"
#include "run_side.h"

namespace hawser::tool {
namespace {

struct PerfArguments {
  PerfOptions options;
  Delivery delivery;
  const CLI::Option* role = nullptr;
  const CLI::Option* device = nullptr;
  bool loopback = false;
  bool no_pin = false;
  std::string server_cpus;
  std::string sizes;
};

void add_sides(CLI::App& app, PerfArguments& given) {
  PerfOptions& o = given.options;
  given.role = add_role(app, o, "server, or client: chooses what is measured, and reports");
  app.add_flag("--loopback", given.loopback,
               "both sides on this machine, in two processes, each kept on its half of the cores");
  add_address(app, o);
  add_port_base(app, o, "control port = base + gpu * 8; server, 0: any free")
      ->envname("HAWSER_PORT_BASE")
      ->capture_default_str();
  add_gpu(app, o);
  add_peer_gpu(app, o);
  add_timeout(app, o, "that any step may take");
}

void add_path(CLI::App& app, PerfArguments& given) {
  PerfOptions& o = given.options;
  add_transport(app, o);
  given.device = add_device(app, o, "the transport's device, by index or name; loopback: lo");
  add_memory(app, o, "where the messages lie");
  app.add_option("--cpus", o.cpus, "keep this side (loopback: the client) on these, as in 0-3,8");
  app.add_option("--server-cpus", given.server_cpus, "loopback: keep the server on these");
  app.add_flag("--no-pin", given.no_pin, "loopback: let both sides run anywhere");
  app.add_option("--threads", o.threads,
                 "of this side: the engine's, 0: as it thinks best; over a net: that poll the "
                 "channels, 0: one")
      ->capture_default_str();
  add_chunk_bytes(
      app, o,
      "most per request; 0: the engine's choice; over a net: as much as both transports take");
  app.add_option("--sockets", o.sockets,
                 "sockets of a channel of the built-in transport, at most; 0: one; over a net: as "
                 "HAWSER_SOCKETS_PER_CHANNEL says")
      ->capture_default_str();
  app.add_option("--bare-congestion", o.bare_congestion,
                 "congestion control of the bare sockets; unset: the transport's, where known");
}

void add_work(CLI::App& app, PerfArguments& given) {
  PerfOptions& o = given.options;
  app.add_option("--sizes", given.sizes, "message sizes, as in 8,64,4K,1M,1G");
  add_choice<PerfOver>(app, "--over", o.over, {{"link", PerfOver::link}, {"net", PerfOver::net}},
                       "what to measure: a link, as users of the library have it; or the "
                       "transport alone, channel by channel");
  add_choice<PerfMode>(
      app, "--mode", o.mode,
      {{"stream", PerfMode::stream}, {"pingpong", PerfMode::ping_pong}, {"both", PerfMode::both}},
      "which traffic");
  app.add_flag("--bidirectional", o.bidirectional, "streams go both ways at once");
  app.add_option(
         "--channels", o.channels,
         "channels, all on one device; 0: as many as an engine thinks best; over a net: one")
      ->capture_default_str();
  app.add_option("--window", o.window,
                 "messages in flight per channel; 0: 256; over a net: the transport's most")
      ->capture_default_str();
  add_bytes(app, "--ring-bytes", o.ring_bytes, "buffers that a channel's messages go round");
  app.add_option("--repeats", o.repeats, "how often each figure is taken")->capture_default_str();
  app.add_option("--duration-ms", o.duration_ms, "of one repeat, about")->capture_default_str();
  add_bytes(app, "--bytes", o.bytes_limit, "most per channel and repeat; 0: no limit");
  add_choice<PerfIdle>(
      app, "--idle", o.idle,
      {{"spin", PerfIdle::spin}, {"yield", PerfIdle::yield}, {"sleep", PerfIdle::sleep}},
      "what a polling thread does that finds nothing");
  app.add_option(
         "--bare-sockets", o.bare_sockets,
         "sockets of the bare reference, a thread each; -1: as many as the channels may have; "
         "0: none")
      ->capture_default_str();
  add_progress(app, given.delivery);
  app.add_option("--csv", given.delivery.csv, "write the figures to this file, as CSV");
  add_json(app, given.delivery);
}

// Each side on its half of the cores, unless the user said where.
void divide_cores(Streams& streams, PerfArguments& given) {
  if (given.no_pin || !given.options.cpus.empty() || !given.server_cpus.empty()) return;
  const CpuHalves halves = halve_cpus();
  given.options.cpus = halves.first;
  given.server_cpus = halves.second;
  if (halves.first.empty())
    streams.note("one core only: both sides share it, and the figures are those of one core");
}

int run_loopback(Streams& streams, PerfArguments& given) {
  divide_cores(streams, given);
  if (given.device->count() == 0) given.options.device = "lo";
  PerfOptions server = given.options;
  server.role = Role::server;
  server.address = "127.0.0.1";
  server.port_base = 0;
  server.cpus = given.server_cpus;
  LoopbackServer beside(server, streams);
  given.options.role = Role::client;
  given.options.address = server.address;
  given.options.port_base = beside.wait_for_port_base();
  if (given.options.port_base < 0) {  // it has said why
    const int status = beside.end(true);
    return status > 0 ? status : int{kCouldNotRun};
  }
  const SideResult result =
      perf(given.options, output_to(streams, given.delivery, Unasked::silence));
  beside.end(result.status == RunStatus::passed);
  return deliver(streams, given.delivery, result);
}

int run_perf(Streams& streams, PerfArguments& given) {
  std::string problem;
  if (!given.sizes.empty() && !parse_perf_sizes(given.sizes, given.options.sizes, problem)) {
    streams.note("--sizes: " + problem);
    return kUsage;
  }
  if (given.loopback) return run_loopback(streams, given);
  const SideOutput output = output_to(streams, given.delivery, Unasked::silence);
  return deliver(streams, given.delivery, perf(given.options, output));
}

}  // namespace

Run add_perf(CLI::App& app) {
  const auto given = std::make_shared<PerfArguments>();
  add_sides(app, *given);
  add_path(app, *given);
  add_work(app, *given);
  app.final_callback([given, &app] {
    if (given->loopback == (given->role->count() != 0))
      throw CLI::ValidationError("perf", "want one of server, client and --loopback");
    require_address(app, given->options);
  });
  return [given](Streams& streams) { return run_perf(streams, *given); };
}

}  // namespace hawser::tool
