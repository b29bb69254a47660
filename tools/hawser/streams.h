// Where a command prints: stdout is the result's alone, whatever a plugin prints there.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

namespace hawser::tool {

// From construction on, whatever else in this process writes to stdout goes to stderr, line by
// line; result() still reaches the real stdout. One per process. Thread-safe but for its making and
// end.
class Streams {
 public:
  Streams();
  ~Streams();
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  void result(std::string_view text);  // to stdout, as it is
  // stdout is for JSON, or another process's: last_line() goes to stderr.
  void people_read_stderr() { for_people_ = false; }
  void note(std::string_view line);   // to stderr, "hawser: " before it
  void plain(std::string_view text);  // to stderr, as it is
  // False once stdout took no more (a full disk, a closed pipe); said on stderr when it happened.
  bool intact() const { return intact_; }

  // For the exit handler, when another thread ends the run: the last line that people read, where
  // they read the result. No result comes after it, nor does a Streams go: whoever tries waits for
  // the end of the process.
  static void last_line(std::string_view line);

 private:
  void write_result(std::string_view text);

  int out_;
  std::atomic<bool> intact_{true};
  std::atomic<bool> for_people_{true};
};

// Writes `text` to `path`; false, with the reason on stderr, where that fails.
bool write_file(Streams& streams, const std::string& path, std::string_view text);

}  // namespace hawser::tool
