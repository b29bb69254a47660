#include <fstream>
#include <iterator>
#include <memory>

#include "commands.h"
#include "perf/perf.h"

namespace hawser::tool {

Run add_plot(CLI::App& app) {
  struct Given {
    std::string from;
    std::string to;
  };
  const auto given = std::make_shared<Given>();
  app.add_option("json", given->from, "what `hawser perf --json` wrote")
      ->required()
      ->check(CLI::ExistingFile);
  app.add_option("svg", given->to, "the picture to write")->required();
  return [given](Streams& streams) -> int {
    std::ifstream file(given->from, std::ios::binary);
    const std::string json{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const PerfPlot plot = plot_perf(json);
    if (!plot.ok) {
      streams.note(given->from + ": " + plot.text);
      return kCouldNotRun;
    }
    return write_file(streams, given->to, plot.text) ? kPassed : kCouldNotRun;
  };
}

}  // namespace hawser::tool
