#include <fmt/core.h>

#include <hawser/parameters.h>
#include <hawser/version.h>

#include "base/log.h"
#include "base/parameters.h"

namespace hawser {

const char* version() {
  return HAWSER_VERSION;
}

std::string describe_parameters() {
  std::string table;
  for (const Parameter* parameter : all_parameters()) {
    const auto set = parameter->text();
    const std::string fallback = *parameter->default_value ? parameter->default_value : "unset";
    table += fmt::format("{:<32} {}\n", parameter->name,
                         set ? *set : fmt::format("{} (default)", fallback));
  }
  return table;
}

std::string parameters_page() {
  return parameters_markdown();
}

bool set_log_level(const std::string& level) {
  if (level == "error")
    set_log_level(LogLevel::error);
  else if (level == "warning")
    set_log_level(LogLevel::warning);
  else if (level == "info")
    set_log_level(LogLevel::info);
  else if (level == "debug")
    set_log_level(LogLevel::debug);
  else
    return false;
  return true;
}

}  // namespace hawser
