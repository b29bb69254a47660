// How do links use several NICs, and what do they cost while nothing moves?
#include <CLI/CLI.hpp>
#include <cstdio>

#include "links/links.h"

int main(int argc, char** argv) {
  using namespace hawser;
  bench::LinksOptions options;
  CLI::App app("Links over several NICs; see bench/nics.sh.");
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--address", options.address, "of the server");
  app.add_option("--port", options.port);
  app.add_option("--devices", options.devices, "NICs")->delimiter(',');
  app.add_option("--channels", options.channels, "per pair of NICs; 0: as the engine likes");
  app.add_option("--seconds", options.seconds)->capture_default_str();
  app.add_option("--warm-up", options.warm_up_seconds)->capture_default_str();
  app.add_option("--every-ms", options.every_ms, "a line so often");
  app.add_option("--message-bytes", options.message_bytes)->capture_default_str();
  app.add_option("--links", options.links, "idle ones")->capture_default_str();
  const auto* const serving = app.add_subcommand("serve", "one link, until it ends");
  const auto* const writing = app.add_subcommand("write", "messages to a server");
  app.add_subcommand("idle", "many links of two processes");
  CLI11_PARSE(app, argc, argv);
  const Status done = serving->parsed()   ? bench::serve(options)
                      : writing->parsed() ? bench::write(options)
                                          : bench::idle(options);
  if (done.ok()) return 0;
  std::fprintf(stderr, "%s\n", done.error().message().c_str());
  return 1;
}
