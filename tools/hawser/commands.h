// The subcommands of `hawser`. Each adds its options to an app and, when it was chosen, runs.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "streams.h"

namespace hawser::tool {

// A program's exit status; the same for every command.
enum Exit : int { kPassed = 0, kFailed = 1, kUsage = 2, kCouldNotRun = 3 };

using Run = std::function<int(Streams&)>;

// hawser validate server|client [options]
Run add_validate(CLI::App& app);
// The same as test_devmem_validation takes it: server [BIND_IP [GPU [DEV]]] | client SERVER_IP [GPU
// [DEV]]
Run add_devmem_validation(CLI::App& app);
Run add_devices(CLI::App& app);
// hawser node server [BIND_IP] | client SERVER_IP [options]
Run add_node(CLI::App& app);
// hawser perf server|client|--loopback [options]
Run add_perf(CLI::App& app);
// hawser plot in.json out.svg
Run add_plot(CLI::App& app);
Run add_parameters(CLI::App& app);

// Parses, runs what was chosen, and gives the exit status. Never throws.
int run_app(CLI::App& app, int argc, char** argv, const std::function<int(Streams&)>& chosen);

}  // namespace hawser::tool
