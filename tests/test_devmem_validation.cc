// The validation under the name that scripts know: server [BIND_IP [GPU [DEV]]] | client SERVER_IP
// [GPU [DEV]], and then any option of `hawser validate`. One engine, two names.
#include "commands.h"

int main(int argc, char** argv) {
  CLI::App app(
      "Devmem validation: one process, one GPU, several channels on one NIC, created concurrently, "
      "each moving "
      "verified data. Exit status: 0 passed on both sides, 1 failed, 2 usage, 3 could not run");
  const hawser::tool::Run run = hawser::tool::add_devmem_validation(app);
  return hawser::tool::run_app(app, argc, argv, run);
}
