// What the command does around one side of a run: what it prints while it goes on, how it is
// interrupted, where the outcome goes, and the exit status.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "side/side.h"
#include "streams.h"

namespace hawser::tool {

// Where the user wants what.
struct Delivery {
  std::string json;  // a file; "-": stdout, and the report goes to stderr
  std::string csv;   // a file
  bool progress = false;
  bool no_progress = false;

  bool json_to_stdout() const { return json == "-"; }
};

void add_json(CLI::App& app, Delivery& wanted);
void add_progress(CLI::App& app, Delivery& wanted);

// Where stderr is no terminal, does the run say where it is, unless told not to?
enum class Unasked { lines, silence };
// On a terminal progress is one line that changes; elsewhere a line now and then.
SideOutput output_to(Streams& streams, const Delivery& wanted, Unasked unasked);

// From here on the first SIGINT or SIGTERM is for SideOutput::interrupted, a second one ends the
// process.
void heed_signals();

// Prints and writes the outcome. The exit status: what could not be delivered is no success. Does
// not come back where a thread was left behind.
int deliver(Streams& streams, const Delivery& wanted, const SideResult& result);

}  // namespace hawser::tool
