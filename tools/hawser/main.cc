// hawser: the command.
#include <hawser/version.h>

#include "commands.h"

int main(int argc, char** argv) {
  using namespace hawser::tool;
  CLI::App app("hawser: GPU memory between machines whose NICs speak only TCP");
  app.set_version_flag("--version", hawser::version());
  app.require_subcommand(1);

  CLI::App& validate = *app.add_subcommand("validate",
                                           "can one process use several channels on one NIC, "
                                           "moving verified data? Exit status: 0 passed on "
                                           "both sides, 1 failed, 2 usage, 3 could not run");
  CLI::App& node = *app.add_subcommand(
      "node",
      "one process for all GPUs and NICs of this machine, moving verified data between each GPU "
      "and the same one of a peer. Exit status: 0 passed on both sides, 1 failed, 2 usage, 3 could "
      "not run");
  CLI::App& devices =
      *app.add_subcommand("devices", "the devices a transport offers, and the GPUs");
  CLI::App& perf = *app.add_subcommand(
      "perf",
      "bandwidth, latency and CPU cost by message size, beside bare sockets in the same run. Exit "
      "status: 0 measured, 1 failed on the way, 2 usage, 3 could not run");
  CLI::App& plot =
      *app.add_subcommand("plot", "a picture of bandwidth by size from `hawser perf --json`");
  CLI::App& parameters =
      *app.add_subcommand("parameters", "the environment variables hawser reads");
  CLI::App& version = *app.add_subcommand("version", "hawser's version");

  const Run run_validate = add_validate(validate);
  const Run run_node = add_node(node);
  const Run run_devices = add_devices(devices);
  const Run run_perf = add_perf(perf);
  const Run run_plot = add_plot(plot);
  const Run run_parameters = add_parameters(parameters);

  return run_app(app, argc, argv, [&](Streams& streams) -> int {
    if (validate.parsed()) return run_validate(streams);
    if (node.parsed()) return run_node(streams);
    if (devices.parsed()) return run_devices(streams);
    if (perf.parsed()) return run_perf(streams);
    if (plot.parsed()) return run_plot(streams);
    if (parameters.parsed()) return run_parameters(streams);
    if (version.parsed()) streams.result(std::string(hawser::version()) + "\n");
    return kPassed;
  });
}
