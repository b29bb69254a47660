// hawser's log lines, to the loggers that NCCL hands over.
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "net/abi/types.h"

namespace hawser::plugin {

// Each communicator may bring a logger of its own (two copies of libnccl in one process do), and
// takes it away at its end: it must not be called any more then. A line that belongs to a
// communicator goes to that one's logger, any other to the newest. Thread-safe.
class NcclLog {
 public:
  using Key = std::uint64_t;  // of one logger; never used again. 0: none

  // A null logger is allowed, and says nothing.
  Key add(abi::LogFunction logger);
  void remove(Key key);

  void write(LogLevel level, std::string_view line);

 private:
  struct Logger {
    Key key;
    abi::LogFunction function;
  };
  abi::LogFunction choose() const;

  std::mutex mutex_;  // held while a logger runs, so that remove() waits for it
  std::vector<Logger> loggers_;
  Key last_key_ = 0;
};

// While it lives, what this thread logs goes to that logger.
class LogTo {
 public:
  explicit LogTo(NcclLog::Key key);
  ~LogTo();
  LogTo(const LogTo&) = delete;
  LogTo& operator=(const LogTo&) = delete;

 private:
  const NcclLog::Key before_;
};

}  // namespace hawser::plugin
