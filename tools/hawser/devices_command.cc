#include <memory>

#include <hawser/devices.h>

#include "commands.h"

namespace hawser::tool {

Run add_devices(CLI::App& app) {
  struct Given {
    std::string plugin;
    bool json = false;
  };
  const auto given = std::make_shared<Given>();
  app.add_option("--plugin", given->plugin, "'builtin', or a NCCL net plugin, as for validate");
  app.add_flag("--json", given->json, "one JSON object instead of a table");
  return [given](Streams& streams) -> int {
    const DevicesResult found = describe_devices(given->plugin);
    if (!found.ok) {
      streams.note("error: " + found.text);
      return kCouldNotRun;
    }
    streams.result(given->json ? found.json + "\n" : found.text);
    return streams.intact() ? kPassed : kCouldNotRun;
  };
}

}  // namespace hawser::tool
