#include <unistd.h>

#include <map>
#include <memory>

#include "commands.h"
#include "loopback.h"
#include "perf/perf.h"

namespace hawser::tool {
namespace {

struct PerfArguments {
  PerfOptions options;
  std::string role;
  const CLI::Option* dev = nullptr;
  bool loopback = false;
  bool no_pin = false;
  std::string server_cpus;
  std::string sizes;
  double timeout_s = 30;
  bool progress = false;
  std::string csv;
  std::string json;
};

const std::map<std::string, PerfMode> kModes{
    {"stream", PerfMode::stream}, {"pingpong", PerfMode::ping_pong}, {"both", PerfMode::both}};
const std::map<std::string, PerfIdle> kIdle{
    {"spin", PerfIdle::spin}, {"yield", PerfIdle::yield}, {"sleep", PerfIdle::sleep}};
void add_sides(CLI::App& app, PerfArguments& given) {
  PerfOptions& o = given.options;
  app.add_option("role", given.role, "server, or client: chooses what is measured, and reports")
      ->check(CLI::IsMember({"server", "client"}));
  app.add_flag("--loopback", given.loopback,
               "both sides on this machine, in two processes, each kept on its half of the cores");
  app.add_option("--address", o.address,
                 "server: the address to listen on; client: the server's address or name");
  app.add_option("--port-base", o.port_base, "control port = base + gpu * 8; server, 0: any free")
      ->envname("HAWSER_PORT_BASE")
      ->capture_default_str();
  app.add_option("--gpu", o.gpu, "this side's GPU; also the number in the port rule")
      ->capture_default_str();
  app.add_option("--peer-gpu", o.peer_gpu, "client: the server's GPU, where it is another number");
  app.add_option("--timeout", given.timeout_s, "seconds that any step may take")
      ->capture_default_str();
}

void add_path(CLI::App& app, PerfArguments& given) {
  PerfOptions& o = given.options;
  app.add_option("--plugin", o.plugin, "'builtin', or a NCCL net plugin, as for validate");
  app.add_flag("--isolate", o.isolate,
               "run the plugin in a process of its own: its crash, exit or hang ends no other "
               "(docs/isolation.md)");
  given.dev =
      app.add_option("--dev", o.device, "the transport's device, by index or name; loopback: lo")
          ->capture_default_str();
  app.add_option("--memory", o.memory, "where the messages lie")
      ->transform(CLI::CheckedTransformer(kMemoryChoices))
      ->type_name("auto|host|cuda")
      ->default_str("host");
  app.add_option("--cpus", o.cpus, "keep this side (loopback: the client) on these, as in 0-3,8");
  app.add_option("--server-cpus", given.server_cpus, "loopback: keep the server on these");
  app.add_flag("--no-pin", given.no_pin, "loopback: let both sides run anywhere");
  app.add_option("--threads", o.threads, "threads of this side that poll the channels")
      ->capture_default_str();
  app.add_option("--chunk-bytes", o.chunk_bytes,
                 "most per request; 0: as much as both transports take")
      ->capture_default_str();
  app.add_option("--sockets", o.sockets,
                 "sockets of a channel of the built-in transport, at most; 0: as "
                 "HAWSER_SOCKETS_PER_CHANNEL says")
      ->capture_default_str();
  app.add_option("--bare-congestion", o.bare_congestion,
                 "congestion control of the bare sockets; unset: the transport's, where known");
}

void add_work(CLI::App& app, PerfArguments& given) {
  PerfOptions& o = given.options;
  app.add_option("--sizes", given.sizes, "message sizes, as in 8,64,4K,1M,1G");
  app.add_option("--mode", o.mode, "what to measure")
      ->transform(CLI::CheckedTransformer(kModes))
      ->type_name("stream|pingpong|both")
      ->default_str("both");
  app.add_flag("--bidirectional", o.bidirectional, "streams go both ways at once");
  app.add_option("--channels", o.channels, "channels, all on one device")->capture_default_str();
  app.add_option("--window", o.window, "requests in flight per channel; 0: the transport's most")
      ->capture_default_str();
  app.add_option("--ring-bytes", o.ring_bytes, "buffers that a channel's messages go round")
      ->transform(CLI::AsSizeValue(false))
      ->default_str("2M");
  app.add_option("--repeats", o.repeats, "how often each figure is taken")->capture_default_str();
  app.add_option("--duration-ms", o.duration_ms, "of one repeat, about")->capture_default_str();
  app.add_option("--bytes", o.bytes_limit, "most per channel and repeat; 0: no limit")
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  app.add_option("--idle", o.idle, "what a polling thread does that finds nothing")
      ->transform(CLI::CheckedTransformer(kIdle))
      ->type_name("spin|yield|sleep")
      ->default_str("yield");
  app.add_option(
         "--bare-sockets", o.bare_sockets,
         "sockets of the bare reference, a thread each; -1: as many as the channels may have; "
         "0: none")
      ->capture_default_str();
  app.add_flag("--progress", given.progress, "say how far it is, even where stderr is no terminal");
  app.add_option("--csv", given.csv, "write the figures to this file, as CSV");
  app.add_option("--json", given.json, "write all that is known to this file, as JSON");
}

// On a terminal one line that changes; elsewhere, where asked for, a line each.
PerfOutput output_to(Streams& streams, const PerfArguments& given) {
  PerfOutput output;
  output.note = [&streams](std::string_view line) { streams.note(line); };
  if (::isatty(STDERR_FILENO) != 0)
    output.progress = [&streams](std::string_view line) {
      streams.plain("\r\x1b[K" + std::string(line));
    };
  else if (given.progress)
    output.progress = [&streams](std::string_view line) { streams.note(line); };
  return output;
}

int deliver(Streams& streams, const PerfArguments& given, const PerfReport& report) {
  if (::isatty(STDERR_FILENO) != 0) streams.plain("\r\x1b[K");
  streams.result(report.table);
  bool written = true;
  if (!given.csv.empty() && !report.csv.empty())
    written = write_file(streams, given.csv, report.csv);
  if (!given.json.empty() && !report.json.empty())
    written = write_file(streams, given.json, report.json + "\n") && written;
  int status = static_cast<int>(report.status);
  if (status == kPassed && !(written && streams.intact())) status = kCouldNotRun;
  if (report.threads_abandoned) ::_exit(status);  // a thread is stuck: nothing can be torn down
  return status;
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
  if (given.dev->count() == 0) given.options.device = "lo";
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
  const PerfReport report = perf(given.options, output_to(streams, given));
  beside.end(report.status == PerfStatus::measured);
  return deliver(streams, given, report);
}

int run_perf(Streams& streams, PerfArguments& given) {
  std::string problem;
  if (!given.sizes.empty() && !parse_perf_sizes(given.sizes, given.options.sizes, problem)) {
    streams.note("--sizes: " + problem);
    return kUsage;
  }
  given.options.timeout_ms = static_cast<int>(given.timeout_s * 1000);
  if (given.loopback) return run_loopback(streams, given);
  given.options.role = given.role == "server" ? Role::server : Role::client;
  return deliver(streams, given, perf(given.options, output_to(streams, given)));
}

}  // namespace

Run add_perf(CLI::App& app) {
  const auto given = std::make_shared<PerfArguments>();
  add_sides(app, *given);
  add_path(app, *given);
  add_work(app, *given);
  app.final_callback([given] {
    if (given->loopback != given->role.empty())
      throw CLI::ValidationError("perf", "want one of server, client and --loopback");
    if (given->role == "client" && given->options.address == PerfOptions().address)
      throw CLI::RequiredError("--address");
  });
  return [given](Streams& streams) { return run_perf(streams, *given); };
}

}  // namespace hawser::tool
