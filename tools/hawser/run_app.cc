#include <exception>

#include "commands.h"

namespace hawser::tool {

int run_app(CLI::App& app, int argc, char** argv, const std::function<int(Streams&)>& chosen) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? int{kPassed} : int{kUsage};
  }
  Streams streams;
  try {
    return chosen(streams);
  } catch (const std::exception& error) {  // no memory, say
    streams.note(std::string("error: ") + error.what());
    return kCouldNotRun;
  }
}

}  // namespace hawser::tool
