#include "net/plugin_log.h"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string_view>
#include <utility>

#include "base/log.h"

namespace hawser {
namespace {

constexpr std::size_t kMaxLineBytes = 1024;

// Process-wide, because the functions that read it are. A name is written once, under the
// mutex and before its function is handed out, and never changes.
struct Names {
  std::mutex mutex;
  std::size_t count = 0;
  char names[kMaxPluginNames + 1][kMaxPluginNameBytes + 1] = {};
};

Names& names() {
  static Names* const all = new Names;  // never destroyed: helper threads log during exit
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

void log_for(const char* name, int plugin_level, const char* format, va_list arguments) {
  const LogLevel level = level_of(plugin_level);
  if (level > log_level() || format == nullptr) return;
  char line[kMaxLineBytes];
  int length = std::snprintf(line, sizeof line, "plugin %s: ", name);
  const std::size_t room = sizeof line - static_cast<std::size_t>(length);
  const int wanted = std::vsnprintf(line + length, room, format, arguments);
  if (wanted > 0) length += std::min(wanted, static_cast<int>(room) - 1);
  log_line(level, trimmed(line, length));
}

template <std::size_t Index>
void log_function(int level, unsigned long, const char*, int, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  log_for(names().names[Index], level, format, arguments);
  va_end(arguments);
}

template <std::size_t... Indices>
constexpr auto make_functions(std::index_sequence<Indices...>) {
  return std::array<abi::LogFunction, sizeof...(Indices)>{&log_function<Indices>...};
}
constexpr auto kFunctions = make_functions(std::make_index_sequence<kMaxPluginNames + 1>());

}  // namespace

PluginLog plugin_log(const char* name) {
  Names& all = names();
  const std::lock_guard lock(all.mutex);
  char wanted[kMaxPluginNameBytes + 1] = {};
  std::memcpy(wanted, name, strnlen(name, kMaxPluginNameBytes));
  std::size_t index = 0;
  while (index < all.count && std::strcmp(all.names[index], wanted) != 0) ++index;
  if (index == all.count) {
    if (all.count == kMaxPluginNames) {
      std::strcpy(wanted, "(one of many)");
      if (all.names[index][0] != '\0') return {all.names[index], kFunctions[index]};
    } else {
      ++all.count;
    }
    std::memcpy(all.names[index], wanted, sizeof wanted);
  }
  return {all.names[index], kFunctions[index]};
}

}  // namespace hawser
