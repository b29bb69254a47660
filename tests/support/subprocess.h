// Real programs, started, watched and ended by tests.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <regex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/fd.h"

namespace hawser::test {

// What to start, and in what surroundings. A value.
struct Command {
  std::vector<std::string> args;                         // args[0]: the program, looked up in PATH
  std::vector<std::pair<std::string, std::string>> env;  // added to ours; an empty value unsets
  std::string cwd;                                       // empty: ours
  std::string netns;                                     // empty: ours; else the namespace's name

  Command& arg(std::string text);
  Command& with_env(std::string name, std::string value);
};

// How a program ended, and all it said.
struct Outcome {
  int exit_code = -1;  // -1 where a signal ended it
  int signal = 0;
  bool timed_out = false;  // it was still running at the deadline, and was killed
  std::string out;
  std::string err;

  std::string describe() const;  // for failure messages
};

// A running program in a process group of its own, standard input empty. A thread drains both
// pipes, so it never stalls on a full one. The destructor kills the whole group.
// Thread-safe.
class Subprocess {
 public:
  static constexpr std::chrono::seconds kPatience{60};

  // A program that cannot be started is a test failure; it then looks ended, with exit_code -1.
  explicit Subprocess(Command command);
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  pid_t pid() const { return pid_; }
  bool running() const;

  // Sends to the program alone; false if it has ended already.
  bool send_signal(int signal);

  // Until standard output or standard error matches. False, and a test failure with both
  // outputs, when the program ends or the time is over without a match.
  bool wait_for_output(const std::string& pattern, std::chrono::milliseconds patience = kPatience);

  // Until it ends. When the time is over it is killed, and the test fails with both outputs.
  Outcome wait(std::chrono::milliseconds patience = kPatience);

 private:
  void drain();
  void collect(int fd, std::string& into);

  std::string name_;
  pid_t pid_ = -1;
  UniqueFd out_fd_, err_fd_, pid_fd_, wake_read_, wake_write_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  Outcome outcome_;
  bool ended_ = false;

  std::thread drainer_;
};

// Starts it and waits for its end.
Outcome run(Command command, std::chrono::milliseconds patience = Subprocess::kPatience);

}  // namespace hawser::test
