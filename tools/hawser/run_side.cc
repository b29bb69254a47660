#include "run_side.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "commands.h"

namespace hawser::tool {
namespace {

constexpr int kLiveMs = 500;     // between looks on a terminal
constexpr int kLinesMs = 5'000;  // elsewhere
constexpr const char* kClearLine = "\r\x1b[K";

// Set by the handler, read by the thread that runs the side.
std::atomic<bool> stop_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void ask_to_stop(int) {
  stop_asked = true;
}

bool on_terminal() {
  return ::isatty(STDERR_FILENO) != 0;
}

bool is_live(const Delivery& wanted) {
  return on_terminal() && !wanted.no_progress;
}

}  // namespace

void add_json(CLI::App& app, Delivery& wanted) {
  app.add_option("--json", wanted.json,
                 "write the outcome to this file; '-': to stdout, and the report to stderr");
}

void add_progress(CLI::App& app, Delivery& wanted) {
  CLI::Option* const progress = app.add_flag(
      "--progress", wanted.progress, "where the run is, often, even where stderr is no terminal");
  app.add_flag("--no-progress", wanted.no_progress, "nothing of that")->excludes(progress);
}

SideOutput output_to(Streams& streams, const Delivery& wanted, Unasked unasked) {
  if (wanted.json_to_stdout()) streams.people_read_stderr();
  SideOutput output;
  const bool live = is_live(wanted);
  output.report = [&streams, to_stderr = wanted.json_to_stdout()](std::string_view line) {
    const std::string text = std::string(line) + "\n";
    to_stderr ? streams.plain(text) : streams.result(text);
  };
  output.note = [&streams, live](std::string_view line) {
    if (live) streams.plain(kClearLine);
    streams.note(line);
  };
  output.interrupted = [] { return stop_asked.load(); };
  if (wanted.no_progress || (!live && !wanted.progress && unasked == Unasked::silence))
    return output;
  output.progress_ms = live || wanted.progress ? kLiveMs : kLinesMs;
  output.progress = [&streams, live](std::string_view line) {
    live ? streams.plain(kClearLine + std::string(line)) : streams.note(line);
  };
  return output;
}

void heed_signals() {
  struct sigaction action {};
  action.sa_handler = ask_to_stop;
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
}

int deliver(Streams& streams, const Delivery& wanted, const SideResult& result) {
  if (is_live(wanted)) streams.plain(kClearLine);
  wanted.json_to_stdout() ? streams.plain(result.text) : streams.result(result.text);
  bool written = true;
  if (!wanted.csv.empty() && !result.csv.empty())
    written = write_file(streams, wanted.csv, result.csv);
  if (wanted.json_to_stdout() && !result.json.empty())
    streams.result(result.json + "\n");
  else if (!wanted.json.empty() && !result.json.empty())
    written = write_file(streams, wanted.json, result.json + "\n") && written;
  int status = static_cast<int>(result.status);
  if (status == kPassed && !(written && streams.intact())) status = kCouldNotRun;
  if (result.threads_abandoned) ::_exit(status);  // a thread is stuck: nothing can be torn down
  return status;
}

}  // namespace hawser::tool
