#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <string>

#include <hawser/exit_cause.h>

#include "base/fd.h"
#include "commands.h"

namespace hawser::tool {
namespace {

// Set before main returns; read by the atexit handler, in the thread that called exit().
std::atomic<bool> returned_from_main{false};

// A plugin may call exit(0) in the middle of a run; nothing passed then, and a report that is only
// half there says so.
void exit_of_a_stranger() {
  if (returned_from_main) return;
  const std::string cause = exit_cause();
  Streams::last_line("Run ended by " + (cause.empty() ? "exit() in another thread" : cause) +
                     ": see stderr");
  ::_exit(kCouldNotRun);
}

int run_chosen(const std::function<int(Streams&)>& chosen) {
  Streams streams;
  try {
    return chosen(streams);
  } catch (const std::exception& error) {  // no memory, say
    streams.note(std::string("error: ") + error.what());
    return kCouldNotRun;
  }
}

}  // namespace

int run_app(CLI::App& app, int argc, char** argv, const std::function<int(Streams&)>& chosen) {
  reserve_standard_streams();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? int{kPassed} : int{kUsage};
  }
  std::atexit(exit_of_a_stranger);
  const int status = run_chosen(chosen);
  returned_from_main = true;
  return status;
}

}  // namespace hawser::tool
