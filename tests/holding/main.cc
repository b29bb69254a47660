// test_devmem_validation, but that it stops for ever at the step that HAWSER_HOLD_AT names, as a
// hung process would. docs/wire-protocol.md lists the steps.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "commands.h"
#include "validation/steps.h"

namespace {

void hold_where_asked(std::string_view step) {
  const char* const asked = std::getenv("HAWSER_HOLD_AT");
  if (asked == nullptr || step != asked) return;
  std::fprintf(stderr, "holding at %s for ever, as HAWSER_HOLD_AT asks\n", asked);
  while (true) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  hawser::set_step_hook(hold_where_asked);
  CLI::App app("A validation that stops where HAWSER_HOLD_AT says");
  const hawser::tool::Run run = hawser::tool::add_devmem_validation(app);
  return hawser::tool::run_app(app, argc, argv, run);
}
