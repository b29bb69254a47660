// What a plugin's process writes to stderr, on its way to the user's.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/log_limiter.h"
#include "base/result.h"

namespace hawser::isolate {

// Passes on whole lines. hawser's own are bounded where they are written; others, which the plugin
// printed past every log, are bounded here. What the plugin said last outlives its process: in the
// pipe, and then here. Not thread-safe.
class ErrorRelay {
 public:
  static constexpr std::size_t kMaxLineBytes = 1024;  // longer ones are cut in pieces
  static constexpr std::size_t kMaxPrinted = 500;  // lines a second, so that a crash's report fits
  static constexpr std::size_t kLastWords = 3;

  // Lines go to the descriptor `to`.
  static Result<std::unique_ptr<ErrorRelay>> create(int to);

  // For the process that writes, and then to be closed here; none of 0 to 3.
  int writer() const { return writer_.get(); }
  void close_writer() { writer_.reset(); }

  // Readable where there is something to pass on; -1 when nothing will come any more.
  int fd() const { return from_.get(); }
  // What is there, up to a bound; never waits.
  void pass_on();
  // All that is left when the process has ended, also what is no whole line.
  void finish();
  // The last few lines that differ in more than numbers, and are the plugin's.
  std::vector<std::string> last_words() const { return {last_words_.begin(), last_words_.end()}; }

 private:
  ErrorRelay(UniqueFd from, UniqueFd writer, int to);
  void take_what_is_there(int most_reads);
  bool read_some();
  void take_lines();
  void take(std::string_view line);
  void remember(std::string_view words);
  void write_line(std::string_view line) const;

  UniqueFd from_, writer_;
  const int to_;
  std::string partial_;  // of a line
  std::deque<std::string> last_words_;
  LogLimiter limiter_;
};

}  // namespace hawser::isolate
