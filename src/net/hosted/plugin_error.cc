#include "net/hosted/plugin_error.h"

#include <fmt/core.h>

#include "net/abi/types.h"

namespace hawser {

std::string_view plugin_result_text(int result) {
  switch (result) {
    case abi::kSuccess:
      return "success";
    case abi::kUnhandledCudaError:
      return "unhandled CUDA error";
    case abi::kSystemError:
      return "system error";
    case abi::kInternalError:
      return "internal error";
    case abi::kInvalidArgument:
      return "invalid argument";
    case abi::kInvalidUsage:
      return "invalid usage";
    case abi::kRemoteError:
      return "remote error";
    default:
      return "unknown result";
  }
}

namespace {

bool moves_data(std::string_view entry) {
  return entry == "isend" || entry == "irecv" || entry == "test" || entry == "iflush" ||
         entry == "irecvConsumed";
}

// A refusal of what we gave it is for us to mend; one in init may as well mean that this machine is
// not for the plugin, and another may be tried. A system error of a connection that was made is its
// socket's: TCPX tells a lost peer, and a network that drops, by it.
Code plugin_code(const CallNote& note, int result) {
  if (result == abi::kRemoteError) return Code::peer;
  if (result == abi::kSystemError && moves_data(note.entry)) return Code::peer;
  const bool ours = result == abi::kInvalidArgument || result == abi::kInvalidUsage;
  return ours && note.entry != std::string_view("init") ? Code::invalid_argument : Code::plugin;
}

}  // namespace

Error plugin_error(std::string_view plugin, const CallNote& note, int result) {
  return Error(plugin_code(note, result),
               fmt::format("{}: {} failed: {} ({})", plugin, call_text(note), result,
                           plugin_result_text(result)));
}

Error plugin_misbehaved(std::string_view plugin, const CallNote& note, std::string_view what) {
  return Error(Code::plugin, fmt::format("{}: {} {}", plugin, call_text(note), what));
}

}  // namespace hawser
