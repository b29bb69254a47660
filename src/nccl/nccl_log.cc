#include "nccl/nccl_log.h"

#include <algorithm>

namespace hawser::plugin {
namespace {

// NCCL's subsystems. Lines at info pass its default filter only with "init".
constexpr unsigned long kInitAndNet = 1 | 16;

thread_local NcclLog::Key t_log_to = 0;

// NCCL has one level for warnings and errors; its "abort" lies above info and is seldom shown.
int nccl_level(LogLevel level) {
  switch (level) {
    case LogLevel::error:
    case LogLevel::warning:
      return abi::kLogWarn;
    case LogLevel::info:
      return abi::kLogInfo;
    case LogLevel::debug:
      return abi::kLogTrace;
  }
  return abi::kLogWarn;
}

}  // namespace

NcclLog::Key NcclLog::add(abi::LogFunction logger) {
  const std::lock_guard lock(mutex_);
  loggers_.push_back({++last_key_, logger});
  return last_key_;
}

void NcclLog::remove(Key key) {
  const std::lock_guard lock(mutex_);
  std::erase_if(loggers_, [key](const Logger& logger) { return logger.key == key; });
}

abi::LogFunction NcclLog::choose() const {
  const auto wanted = std::find_if(loggers_.begin(), loggers_.end(),
                                   [](const Logger& logger) { return logger.key == t_log_to; });
  if (wanted != loggers_.end()) return wanted->function;
  return loggers_.empty() ? nullptr : loggers_.back().function;
}

void NcclLog::write(LogLevel level, std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (const abi::LogFunction logger = choose())
    logger(nccl_level(level), kInitAndNet, __FILE__, __LINE__, "NET/hawser: %.*s",
           static_cast<int>(line.size()), line.data());
}

LogTo::LogTo(NcclLog::Key key) : before_(t_log_to) {
  t_log_to = key;
}

LogTo::~LogTo() {
  t_log_to = before_;
}

}  // namespace hawser::plugin
