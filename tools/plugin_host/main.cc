// The process of an isolated plugin (docs/isolation.md). libhawser starts it; nobody else does.
#include "isolate/plugin_host.h"

int main() {
  return hawser::isolate::run_plugin_host();
}
