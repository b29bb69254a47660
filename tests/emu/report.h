// What the emulator says: through the host's logger, and rule violations on stderr too.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include "abi_v7.h"

namespace emu {

// Thread-safe. Every line it prints begins with "emulated TCPX".
class Report {
 public:
  void set_logger(Logger logger) { logger_.store(logger); }

  void info(const char* format, ...) __attribute__((format(printf, 2, 3)));
  void warn(const char* format, ...) __attribute__((format(printf, 2, 3)));

  // Says that the host broke a rule, counts it, and gives the code to return.
  int rule_broken(const char* format, ...) __attribute__((format(printf, 2, 3)));

  std::uint64_t violations() const { return violations_.load(); }
  std::string last_violation() const;

 private:
  void log(int level, const std::string& text);

  std::atomic<Logger> logger_{nullptr};
  std::atomic<std::uint64_t> violations_{0};
  mutable std::mutex mutex_;
  std::string last_violation_;  // under mutex_
};

}  // namespace emu
