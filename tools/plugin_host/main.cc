// The process of an isolated plugin (docs/isolation.md). libhawser starts it; nobody else does.
#include "net/isolated/plugin_host.h"
#include "setup/tcpx_report.h"

int main() {
  return hawser::isolate::run_plugin_host(
      [](const hawser::PluginOptions& options) { return hawser::tcpx_guard(options); });
}
