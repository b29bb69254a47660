#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace hawser {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::invalid_argument:
      return "invalid argument";
    case Code::unavailable:
      return "unavailable";
    case Code::timeout:
      return "timeout";
    case Code::peer:
      return "peer";
    case Code::protocol:
      return "protocol";
    case Code::data:
      return "data";
    case Code::plugin:
      return "plugin";
    case Code::system:
      return "system";
    case Code::cancelled:
      return "cancelled";
    case Code::internal:
      return "internal";
  }
  return "unknown";
}

namespace {

// What to look at where a limit is the cause.
const char* advice(int err) {
  if (err == EMFILE) return " (this process's limit: see 'ulimit -n')";
  if (err == ENFILE) return " (the machine's limit: see sysctl fs.file-max)";
  return "";
}

}  // namespace

Error Error::within(std::string_view doing) const {
  return Error(code_, std::string(doing) + ": " + message_);
}

Error system_error(int err, std::string_view doing) {
  char text[128];
  const char* message = strerror_r(err, text, sizeof text);
  return Error(Code::system, std::string(doing) + ": " + message + advice(err));
}

}  // namespace hawser
