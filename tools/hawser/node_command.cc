#include <memory>

#include "commands.h"
#include "node/node.h"
#include "option_table.h"
#include "run_side.h"

namespace hawser::tool {
namespace {

struct NodeArguments {
  NodeOptions options;
  Delivery delivery;
  bool no_verify = false;
};

void add_node_place(CLI::App& app, NodeArguments& given) {
  NodeOptions& o = given.options;
  add_role(app, o, "server, or client: begins, and sends")->required();
  add_address(app, o);
  add_port_base(app, o,
                "port of a GPU's link = base + gpu * 8; unset: HAWSER_PORT_BASE, else 20000");
  app.add_option("--gpus", o.gpus, "the first so many, as many as the other side; 0: all there are")
      ->capture_default_str();
  add_memory(app, o, "auto, cuda: the GPUs'; host: devices are played in host memory");
  add_devices(app, o.devices);
  add_gpu_nic_map(app, o.gpu_nic_map);
  app.add_option("--channels", o.channels,
                 "per pair of NICs of a GPU's link; 0: as the engine thinks best")
      ->capture_default_str();
  add_chunk_bytes(app, o, "longer pieces are cut; 0: the engine's choice");
  add_transport(app, o);
  add_timeout(app, o, "to meet the other side in, and that nothing may move on a link");
}

void add_node_work(CLI::App& app, NodeArguments& given) {
  NodeOptions& o = given.options;
  add_bytes(app, "--bytes", o.bytes,
            "per GPU, direction and iteration, as in 16777216 or 16M; the server's rules");
  CLI::Option* const iterations =
      app.add_option("--iterations", o.iterations, "how many; the server's number rules")
          ->capture_default_str();
  add_seconds(app, "--seconds", o.duration_ms, "for so long instead; the server's number rules")
      ->excludes(iterations);
  add_choice<NodeDirection>(
      app, "--direction", o.direction,
      {{"forward", NodeDirection::forward}, {"both", NodeDirection::both}},
      "forward: client to server; both: also back, at the same time; the server's rules");
  app.add_flag("--no-verify", given.no_verify,
               "do not compare the data, and say so in the report; the server's choice rules");
  add_progress(app, given.delivery);
  add_json(app, given.delivery);
}

int run_node_command(Streams& streams, NodeArguments& given) {
  given.options.verify = !given.no_verify;
  heed_signals();
  const SideOutput output = output_to(streams, given.delivery, Unasked::lines);
  return deliver(streams, given.delivery, run_node(given.options, output));
}

}  // namespace

Run add_node(CLI::App& app) {
  const auto given = std::make_shared<NodeArguments>();
  add_node_place(app, *given);
  add_node_work(app, *given);
  app.final_callback([given, &app] { require_address(app, given->options); });
  return [given](Streams& streams) { return run_node_command(streams, *given); };
}

}  // namespace hawser::tool
