#include <memory>

#include <hawser/parameters.h>

#include "commands.h"

namespace hawser::tool {

Run add_parameters(CLI::App& app) {
  const auto markdown = std::make_shared<bool>(false);
  app.add_flag("--markdown", *markdown, "docs/parameters.md instead of the values now");
  return [markdown](Streams& streams) -> int {
    streams.result(*markdown ? parameters_page() : describe_parameters());
    return streams.intact() ? kPassed : kCouldNotRun;
  };
}

}  // namespace hawser::tool
