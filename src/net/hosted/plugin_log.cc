#include "net/hosted/plugin_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/signal_text.h"

namespace hawser {
namespace {

constexpr std::size_t kMaxTextBytes = 1024;

// What one name has. Never changes but for the limiter, which locks itself.
class NamedLog {
 public:
  explicit NamedLog(std::string name)
      : name_(std::move(name)),
        limiter_([this](LogLevel level, std::string_view text) { say(level, text); }) {}

  const char* name() const { return name_.c_str(); }
  LogLimiter& limiter() { return limiter_; }
  void say(LogLevel level, std::string_view text) const {
    log_at(level, "plugin {}: {}", name_, text);
  }

 private:
  const std::string name_;
  LogLimiter limiter_;
};

// Process-wide, because the functions that read it are. Filled from the front; a log is there
// before its function is handed out, and stays.
struct NamedLogs {
  std::mutex mutex;  // guards adding
  std::array<std::atomic<NamedLog*>, kMaxPluginNames + 1> logs{};
};

NamedLogs& named_logs() {
  static NamedLogs* const all = new NamedLogs;  // never destroyed: threads log during exit
  return *all;
}

// Plugins say at info what only somebody who debugs them wants to read.
LogLevel level_of(int plugin_level) {
  switch (plugin_level) {
    case abi::kLogVersion:
      return LogLevel::info;
    case abi::kLogWarn:
      return LogLevel::warning;
    case abi::kLogAbort:
      return LogLevel::error;
    default:
      return LogLevel::debug;
  }
}

std::string_view trimmed(const char* text, int length) {
  std::string_view line(text, static_cast<std::size_t>(length));
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

void log_for(NamedLog& log, int plugin_level, const char* format, va_list arguments) {
  const LogLevel level = level_of(plugin_level);
  if (format == nullptr || level > std::max(log_level(), LogLevel::warning)) return;
  char text[kMaxTextBytes];
  const int wanted = std::vsnprintf(text, sizeof text, format, arguments);
  const std::string_view line =
      trimmed(text, std::clamp(wanted, 0, static_cast<int>(sizeof text) - 1));
  level == LogLevel::debug ? log.say(level, line) : log.limiter().take(level, line);
}

template <std::size_t Index>
void log_function(int level, unsigned long, const char*, int, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  log_for(*named_logs().logs[Index].load(std::memory_order_acquire), level, format, arguments);
  va_end(arguments);
}

template <std::size_t... Indices>
constexpr auto make_functions(std::index_sequence<Indices...>) {
  return std::array<abi::LogFunction, sizeof...(Indices)>{&log_function<Indices>...};
}
constexpr auto kFunctions = make_functions(std::make_index_sequence<kMaxPluginNames + 1>());

PluginLog plugin_log_at(std::size_t index, NamedLog& log) {
  return {log.name(), kFunctions[index], &log.limiter()};
}

// All there are, in the order in which they were made.
template <class Visit>
void for_each_log(Visit visit) {
  for (auto& place : named_logs().logs)
    if (NamedLog* const log = place.load(std::memory_order_acquire)) visit(*log);
}

}  // namespace

PluginLog plugin_log(const char* name) {
  NamedLogs& all = named_logs();
  const std::string wanted(name, strnlen(name, kMaxPluginNameBytes));
  const std::lock_guard lock(all.mutex);
  for (std::size_t i = 0;; ++i) {
    NamedLog* log = all.logs[i].load(std::memory_order_relaxed);
    const bool last = i == kMaxPluginNames;
    if (log == nullptr) {
      log = new NamedLog(last ? "(one of many)" : wanted);  // never destroyed, as above
      all.logs[i].store(log, std::memory_order_release);
    }
    if (last || log->name() == wanted) return plugin_log_at(i, *log);
  }
}

void flush_plugin_logs() {
  for_each_log([](NamedLog& log) { log.limiter().flush(); });
}

void write_untold_plugin_lines(int fd) {
  for_each_log([fd](NamedLog& log) {
    const std::uint64_t untold = log.limiter().untold();
    if (untold == 0) return;
    char line[kMaxPluginNameBytes + 128];
    std::size_t length = 0;
    {
      SignalText text(line, sizeof line);
      text.text("hawser: plugin ").text(log.name()).text(": ").number(untold);
      text.text(" more lines were counted, and not told before the end\n");
      length = text.length();
    }
    write_fully(fd, line, length);
  });
}

}  // namespace hawser
