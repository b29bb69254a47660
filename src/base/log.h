// Log lines for people: one line each, to stderr unless a sink says otherwise.
#pragma once

#include <fmt/core.h>

#include <functional>
#include <string_view>

namespace hawser {

enum class LogLevel { error, warning, info, debug };

using LogSink = std::function<void(LogLevel, std::string_view line)>;

// Thread-safe. The level starts as HAWSER_LOG_LEVEL says (default: warning).
LogLevel log_level();
void set_log_level(LogLevel level);

// Replaces the sink (an empty one restores stderr). The sink may be called from
// any thread, one call at a time; it must not log.
void set_log_sink(LogSink sink);

void log_line(LogLevel level, std::string_view line);
void vlog(LogLevel level, fmt::string_view format, fmt::format_args args);

template <class... Args>
void log_at(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (level <= log_level()) vlog(level, format, fmt::make_format_args(args...));
}
template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::error, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::warning, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::info, format, std::forward<Args>(args)...);
}
template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log_at(LogLevel::debug, format, std::forward<Args>(args)...);
}

}  // namespace hawser
