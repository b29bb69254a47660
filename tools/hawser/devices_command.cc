#include <memory>

#include <hawser/devices.h>

#include "commands.h"

namespace hawser::tool {

Run add_devices(CLI::App& app) {
  struct Given {
    DevicesOptions options;
    bool json = false;
  };
  const auto given = std::make_shared<Given>();
  app.add_option("--plugin", given->options.plugin,
                 "'builtin', or a NCCL net plugin, as for validate");
  app.add_option("--gpu-nic-map", given->options.gpu_nic_map,
                 "NICs for some GPUs instead of the nearest, as in 0=eth1,eth2;1=eth3");
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
