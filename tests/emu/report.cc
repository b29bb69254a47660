#include "report.h"

#include <cstdarg>
#include <cstdio>

namespace emu {
namespace {

constexpr int kLevelWarn = 2;
constexpr int kLevelInfo = 3;
constexpr unsigned long kFlagNet = 16;
constexpr std::size_t kMaxLineBytes = 512;

std::string render(const char* format, va_list arguments) {
  char line[kMaxLineBytes];
  std::vsnprintf(line, sizeof line, format, arguments);
  return line;
}

}  // namespace

void Report::log(int level, const std::string& text) {
  if (const Logger logger = logger_.load())
    logger(level, kFlagNet, __FILE__, __LINE__, "%s", ("emulated TCPX: " + text).c_str());
}

void Report::info(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  log(kLevelInfo, render(format, arguments));
  va_end(arguments);
}

void Report::warn(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  log(kLevelWarn, render(format, arguments));
  va_end(arguments);
}

int Report::rule_broken(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const std::string text = render(format, arguments);
  va_end(arguments);
  {
    const std::lock_guard lock(mutex_);
    last_violation_ = text;
  }
  violations_.fetch_add(1);
  std::fprintf(stderr, "emulated TCPX: rule broken: %s\n", text.c_str());
  log(kLevelWarn, "rule broken: " + text);
  return kInternalError;
}

std::string Report::last_violation() const {
  const std::lock_guard lock(mutex_);
  return last_violation_;
}

}  // namespace emu
