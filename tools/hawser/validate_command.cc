#include <unistd.h>

#include <cstdlib>
#include <map>
#include <memory>

#include <hawser/parameters.h>

#include "commands.h"
#include "validation/validate.h"

namespace hawser::tool {
namespace {

struct ValidateArguments {
  ValidateOptions options;
  double timeout_s = 30;
  bool verbose = false;
  std::string json;
};

const std::map<std::string, Role> kRoles{{"server", Role::server}, {"client", Role::client}};
void add_role(CLI::App& app, ValidateArguments& given) {
  app.add_option("role", given.options.role, "server (receives) or client (sends)")
      ->required()
      ->transform(CLI::CheckedTransformer(kRoles))
      ->type_name("server|client");
}

void add_place(CLI::App& app, ValidateArguments& given) {
  ValidateOptions& o = given.options;
  app.add_option("--address", o.address,
                 "server: the address to listen on; client: the server's address or name")
      ->capture_default_str();
  app.add_option("--gpu", o.gpu, "this side's GPU; also the number in the port rule")
      ->capture_default_str();
  app.add_option("--dev", o.device, "the transport's device, by index or name")
      ->capture_default_str();
}

void add_choices(CLI::App& app, ValidateArguments& given) {
  ValidateOptions& o = given.options;
  app.add_option("--peer-gpu", o.peer_gpu, "client: the server's GPU, where it is another number");
  app.add_option("--channels", o.channels, "channels, all on one device; the server's number rules")
      ->capture_default_str();
  app.add_option("--bytes", o.bytes, "bytes per channel; the server's number rules")
      ->capture_default_str();
  app.add_option("--iterations", o.iterations, "transfers per channel; the server's number rules")
      ->capture_default_str();
  app.add_option("--chunk-bytes", o.chunk_bytes,
                 "bytes per request; 0: 524288, or less where the transport takes less")
      ->capture_default_str();
  app.add_option("--memory", o.memory, "auto: a GPU's where there is a usable one, else the host's")
      ->transform(CLI::CheckedTransformer(kMemoryChoices))
      ->type_name("auto|host|cuda");
  app.add_option(
      "--plugin", o.plugin,
      "'builtin', or a NCCL net plugin: a path, libX.so, or x for libnccl-net-x.so; unset: what "
      "NCCL_GPUDIRECTTCPX_PLUGIN_PATH or NCCL_NET_PLUGIN names, else builtin");
  app.add_option("--timeout", given.timeout_s, "seconds that any step may take")
      ->capture_default_str();
  app.add_option(
      "--port-base", o.port_base,
      "port of a channel = base + gpu * 8 + channel; unset: HAWSER_PORT_BASE, else 20000");
  app.add_flag("--serialize-create", o.serialize_create,
               "make the channels one at a time; the server's choice rules");
  app.add_flag("--isolate", o.isolate,
               "run the plugin in a process of its own: its crash, exit or hang ends no other "
               "(docs/isolation.md)");
  app.add_flag("--verbose", given.verbose, "log every step and every call into a plugin to stderr");
  app.add_option("--json", given.json,
                 "write the outcome to this file; '-': to stdout, and the report to stderr");
}

int deliver(Streams& streams, const ValidateArguments& given, const ValidateResult& result) {
  bool written = true;
  if (given.json == "-")
    streams.result(result.json + "\n");
  else if (!given.json.empty())
    written = write_file(streams, given.json, result.json + "\n");
  const int status = static_cast<int>(result.status);
  const int exit_status =
      status == kPassed && !(written && streams.intact()) ? int{kCouldNotRun} : status;
  if (result.threads_abandoned)
    ::_exit(exit_status);  // a thread is stuck in a plugin: nothing can be torn down
  return exit_status;
}

int run_validate(Streams& streams, ValidateArguments& given) {
  if (given.verbose) set_log_level("debug");
  if (given.json == "-") streams.people_read_stderr();
  given.options.timeout_ms = static_cast<int>(given.timeout_s * 1000);
  const auto report = [&](std::string_view line) {
    const std::string text = std::string(line) + "\n";
    given.json == "-" ? streams.plain(text) : streams.result(text);
  };
  const ValidateOutput output{report, [&](std::string_view line) { streams.note(line); }};
  return deliver(streams, given, validate(given.options, output));
}

Run run_with(std::shared_ptr<ValidateArguments> given) {
  return [given](Streams& streams) { return run_validate(streams, *given); };
}

}  // namespace

Run add_validate(CLI::App& app) {
  const auto given = std::make_shared<ValidateArguments>();
  add_role(app, *given);
  add_place(app, *given);
  add_choices(app, *given);
  return run_with(given);
}

Run add_page_validate(CLI::App& app) {
  const auto given = std::make_shared<ValidateArguments>();
  add_role(app, *given);
  CLI::Option* const address =
      app.add_option("address", given->options.address, "server: BIND_IP; client: SERVER_IP")
          ->capture_default_str();
  app.add_option("gpu", given->options.gpu, "GPU")->capture_default_str();
  app.add_option("dev", given->options.device, "DEV, by index or name")->capture_default_str();
  add_choices(app, *given);
  app.final_callback([given, address] {
    if (given->options.role == Role::client && address->count() == 0)
      throw CLI::RequiredError("SERVER_IP");
  });
  return run_with(given);
}

}  // namespace hawser::tool
