#include "base/log.h"

#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "base/fork.h"
#include "base/parameters.h"

namespace hawser {
namespace {

LogLevel initial_level() {
  const auto name = parameters::kLogLevel.choice();
  if (!name.ok()) {
    std::fprintf(stderr, "hawser: warning: %s\n", name.error().message().c_str());
    return LogLevel::warning;
  }
  if (*name == "error") return LogLevel::error;
  if (*name == "info") return LogLevel::info;
  if (*name == "debug") return LogLevel::debug;
  return LogLevel::warning;
}

// Publishes nothing but itself: a line logged under the old level does no harm.
std::atomic<LogLevel>& level() {
  static std::atomic<LogLevel> value{initial_level()};
  return value;
}

struct Sink {
  std::mutex mutex;  // guards the next
  LogSink sink;
  ForkMark mark;
};

// Never destroyed: other threads may log while the process exits. A child of fork() makes its own,
// of what the parent's was, since a thread that it does not have may hold the lock of that one.
// Release publishes a new one's members.
Sink& the_sink() {
  static std::atomic<Sink*> current{new Sink};
  Sink* sink = current.load(std::memory_order_acquire);
  if (!sink->mark.inherited()) return *sink;
  auto own = std::make_unique<Sink>();
  own->sink = sink->sink;
  if (current.compare_exchange_strong(sink, own.get(), std::memory_order_acq_rel))
    sink = own.release();
  return *sink;
}

const char* level_name(LogLevel at) {
  switch (at) {
    case LogLevel::error:
      return "error";
    case LogLevel::warning:
      return "warning";
    case LogLevel::info:
      return "info";
    case LogLevel::debug:
      return "debug";
  }
  return "?";
}

}  // namespace

LogLevel log_level() {
  return level().load(std::memory_order_relaxed);
}
void set_log_level(LogLevel to) {
  level().store(to, std::memory_order_relaxed);
}

void set_log_sink(LogSink sink) {
  const std::lock_guard lock(the_sink().mutex);
  the_sink().sink = std::move(sink);
}

void log_line(LogLevel at, std::string_view line) {
  if (at > log_level()) return;
  const std::lock_guard lock(the_sink().mutex);
  if (the_sink().sink) return the_sink().sink(at, line);
  std::fprintf(stderr, "hawser: %s: %.*s\n", level_name(at), static_cast<int>(line.size()),
               line.data());
}

void vlog(LogLevel at, fmt::string_view format, fmt::format_args args) {
  log_line(at, fmt::vformat(format, args));
}

}  // namespace hawser
