#include <memory>

#include <hawser/devices.h>

#include "commands.h"
#include "option_table.h"

namespace hawser::tool {

Run add_devices(CLI::App& app) {
  struct Given {
    DevicesOptions options;
    bool json = false;
  };
  const auto given = std::make_shared<Given>();
  add_plugin(app, given->options.plugin);
  add_gpu_nic_map(app, given->options.gpu_nic_map);
  app.add_flag("--json", given->json, "one JSON object instead of a table");
  return [given](Streams& streams) -> int {
    if (given->json) streams.people_read_stderr();
    const DevicesResult found = describe_devices(given->options);
    if (!found.ok) {
      streams.note("error: " + found.text);
      return kCouldNotRun;
    }
    streams.result(given->json ? found.json + "\n" : found.text);
    return streams.intact() ? kPassed : kCouldNotRun;
  };
}

}  // namespace hawser::tool
