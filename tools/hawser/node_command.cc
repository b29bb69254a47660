#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <memory>

#include "commands.h"
#include "node/node.h"

namespace hawser::tool {
namespace {

constexpr int kLiveMs = 500;     // between looks on a terminal
constexpr int kLinesMs = 5'000;  // elsewhere
constexpr double kMostSeconds = 24 * 3600;

struct NodeArguments {
  NodeOptions options;
  double timeout_s = 30;
  double duration_s = 0;
  bool no_verify = false;
  bool progress = false;
  bool no_progress = false;
  std::string json;
};

const std::map<std::string, Role> kNodeRoles{{"server", Role::server}, {"client", Role::client}};
const std::map<std::string, NodeDirection> kDirections{{"forward", NodeDirection::forward},
                                                       {"both", NodeDirection::both}};

// Set by the handler, read by the thread that runs the node.
std::atomic<bool> stop_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void ask_to_stop(int) {
  stop_asked = true;
}

// The first signal ends the run in good order, a second one ends the process.
void heed_signals() {
  struct sigaction action {};
  action.sa_handler = ask_to_stop;
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

void add_node_place(CLI::App& app, NodeArguments& given) {
  NodeOptions& o = given.options;
  app.add_option("role", o.role, "server, or client: begins, and sends")
      ->required()
      ->transform(CLI::CheckedTransformer(kNodeRoles))
      ->type_name("server|client");
  app.add_option("address", o.address,
                 "server: the address to listen on; client: the server's address or name")
      ->capture_default_str();
  app.add_option("--port-base", o.port_base,
                 "port of a GPU's link = base + gpu * 8; unset: HAWSER_PORT_BASE, else 20000");
  app.add_option("--gpus", o.gpus, "the first so many, as many as the other side; 0: all there are")
      ->capture_default_str();
  app.add_option("--memory", o.memory,
                 "auto, cuda: the GPUs'; host: devices are played in host memory")
      ->transform(CLI::CheckedTransformer(kMemoryChoices))
      ->type_name("auto|host|cuda");
  app.add_option("--device", o.devices, "a NIC to use, by name or index; may be given again")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--gpu-nic-map", o.gpu_nic_map,
                 "NICs for some GPUs instead of the nearest, as in 0=eth1,eth2;1=eth3");
  app.add_option("--channels", o.channels,
                 "per pair of NICs of a GPU's link; 0: as the engine thinks best")
      ->capture_default_str();
  app.add_option("--chunk-bytes", o.chunk_bytes, "longer pieces are cut; 0: the engine's choice")
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  app.add_option("--plugin", o.plugin, "'builtin', or a NCCL net plugin, as for validate");
  app.add_flag("--isolate", o.isolate,
               "run the plugin in a process of its own: its crash, exit or hang ends no other "
               "(docs/isolation.md)");
  app.add_option("--timeout", given.timeout_s,
                 "seconds to meet the other side in, and that nothing may move on a link")
      ->capture_default_str();
}

void add_node_work(CLI::App& app, NodeArguments& given) {
  NodeOptions& o = given.options;
  app.add_option("--bytes", o.bytes,
                 "per GPU, direction and iteration, as in 16777216 or 16M; the server's rules")
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  CLI::Option* const iterations =
      app.add_option("--iterations", o.iterations, "how many; the server's number rules")
          ->capture_default_str();
  app.add_option("--seconds", given.duration_s, "for so long instead; the server's number rules")
      ->excludes(iterations);
  app.add_option("--direction", o.direction,
                 "forward: client to server; both: also back, at the same time; the server's rules")
      ->transform(CLI::CheckedTransformer(kDirections))
      ->type_name("forward|both");
  app.add_flag("--no-verify", given.no_verify,
               "do not compare the data, and say so in the report; the server's choice rules");
  CLI::Option* const progress = app.add_flag(
      "--progress", given.progress, "where the run is, often, even where stderr is no terminal");
  app.add_flag("--no-progress", given.no_progress, "nothing of that")->excludes(progress);
  app.add_option("--json", given.json,
                 "write the outcome to this file; '-': to stdout, and the report to stderr");
}

bool on_terminal() {
  return ::isatty(STDERR_FILENO) != 0;
}

// On a terminal one line that changes; elsewhere a line now and then.
NodeOutput node_output(Streams& streams, const NodeArguments& given) {
  NodeOutput output;
  output.interrupted = [] { return stop_asked.load(); };
  const bool live = on_terminal() && !given.no_progress;
  output.note = [&streams, live](std::string_view line) {
    if (live) streams.plain("\r\x1b[K");
    streams.note(line);
  };
  if (given.no_progress) return output;
  output.progress_ms = live || given.progress ? kLiveMs : kLinesMs;
  output.progress = [&streams, live](std::string_view line) {
    live ? streams.plain("\r\x1b[K" + std::string(line)) : streams.note(line);
  };
  return output;
}

int deliver(Streams& streams, const NodeArguments& given, const NodeResult& result) {
  if (on_terminal() && !given.no_progress) streams.plain("\r\x1b[K");
  given.json == "-" ? streams.plain(result.text) : streams.result(result.text);
  bool written = true;
  if (given.json == "-" && !result.json.empty())
    streams.result(result.json + "\n");
  else if (!given.json.empty() && !result.json.empty())
    written = write_file(streams, given.json, result.json + "\n");
  int status = static_cast<int>(result.status);
  if (status == kPassed && !(written && streams.intact())) status = kCouldNotRun;
  if (result.threads_abandoned) ::_exit(status);  // a thread is stuck: nothing can be torn down
  return status;
}

// Seconds as the options have them; nan, and what no int holds, become a number that is refused.
int to_ms(double seconds) {
  return seconds >= 0 && seconds <= kMostSeconds ? static_cast<int>(std::ceil(seconds * 1000)) : -1;
}

int run_node_command(Streams& streams, NodeArguments& given) {
  given.options.timeout_ms = to_ms(given.timeout_s);
  given.options.duration_ms = to_ms(given.duration_s);
  given.options.verify = !given.no_verify;
  heed_signals();
  if (given.json == "-") streams.people_read_stderr();
  return deliver(streams, given, run_node(given.options, node_output(streams, given)));
}

}  // namespace

Run add_node(CLI::App& app) {
  const auto given = std::make_shared<NodeArguments>();
  add_node_place(app, *given);
  add_node_work(app, *given);
  app.final_callback([given] {
    if (given->options.role == Role::client && given->options.address == NodeOptions().address)
      throw CLI::RequiredError("the server's address");
  });
  return [given](Streams& streams) { return run_node_command(streams, *given); };
}

}  // namespace hawser::tool
