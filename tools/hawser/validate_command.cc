#include <memory>

#include <hawser/parameters.h>

#include "commands.h"
#include "option_table.h"
#include "run_side.h"
#include "validation/validate.h"

namespace hawser::tool {
namespace {

struct ValidateArguments {
  ValidateOptions options;
  Delivery delivery;
  bool verbose = false;
};

void add_choices(CLI::App& app, ValidateArguments& given) {
  ValidateOptions& o = given.options;
  add_peer_gpu(app, o);
  app.add_option("--channels", o.channels, "channels, all on one device; the server's number rules")
      ->capture_default_str();
  add_bytes(app, "--bytes", o.bytes,
            "per channel, as in 16777216 or 16M; the server's number rules");
  app.add_option("--iterations", o.iterations, "transfers per channel; the server's number rules")
      ->capture_default_str();
  add_chunk_bytes(app, o, "per request; 0: 512K, or less where the transport takes less");
  add_memory(app, o, "auto: a GPU's where there is a usable one, else the host's");
  add_transport(app, o);
  add_timeout(app, o, "that any step may take");
  add_port_base(
      app, o, "port of a channel = base + gpu * 8 + channel; unset: HAWSER_PORT_BASE, else 20000");
  app.add_flag("--serialize-create", o.serialize_create,
               "make the channels one at a time; the server's choice rules");
  app.add_flag("--verbose", given.verbose, "log every step and every call into a plugin to stderr");
  add_json(app, given.delivery);
}

Run run_with(std::shared_ptr<ValidateArguments> given) {
  return [given](Streams& streams) {
    if (given->verbose) set_log_level("debug");
    const SideOutput output = output_to(streams, given->delivery, Unasked::silence);
    return deliver(streams, given->delivery, validate(given->options, output));
  };
}

std::shared_ptr<ValidateArguments> add_all(CLI::App& app) {
  const auto given = std::make_shared<ValidateArguments>();
  given->delivery.no_progress = true;  // the report itself comes as it goes
  add_role(app, given->options, "server (receives) or client (sends)")->required();
  add_address(app, given->options);
  add_gpu(app, given->options);
  add_device(app, given->options, "the transport's device, by index or name");
  add_choices(app, *given);
  return given;
}

}  // namespace

Run add_validate(CLI::App& app) {
  return run_with(add_all(app));
}

Run add_devmem_validation(CLI::App& app) {
  const auto given = add_all(app);
  app.final_callback([given, &app] {
    if (given->options.role == Role::client && app.get_option("--address")->count() == 0)
      throw CLI::RequiredError("SERVER_IP");
  });
  return run_with(given);
}

}  // namespace hawser::tool
