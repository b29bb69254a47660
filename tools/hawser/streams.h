// Where a command prints: stdout is the result's alone, whatever a plugin prints there.
#pragma once

#include <string>
#include <string_view>

namespace hawser::tool {

// From construction on, whatever else in this process writes to stdout goes to stderr; result()
// still reaches the real stdout. One per process.
class Streams {
 public:
  Streams();
  ~Streams();
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  void result(std::string_view text);  // to stdout, as it is
  void note(std::string_view line);    // to stderr, "hawser: " before it
  void plain(std::string_view text);   // to stderr, as it is
  // False once stdout took no more (a full disk, a closed pipe); said on stderr when it happened.
  bool intact() const { return intact_; }

 private:
  int out_;
  bool intact_ = true;
};

// Writes `text` to `path`; false, with the reason on stderr, where that fails.
bool write_file(Streams& streams, const std::string& path, std::string_view text);

}  // namespace hawser::tool
