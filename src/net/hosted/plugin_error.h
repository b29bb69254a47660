// Result codes of the NCCL net-plugin ABI as Errors.
#pragma once

#include <string_view>

#include "base/result.h"
#include "net/hosted/call_journal.h"

namespace hawser {

// "internal error" for 3; "unknown result" for a number that is none.
std::string_view plugin_result_text(int result);

// Code::peer for a remote error and for a system error of a call that moves data,
// Code::invalid_argument for a refusal of what a call was given (not of init, which may refuse the
// machine), else Code::plugin:
// "<plugin>: regMr(pointer=0x7f00, bytes=4096, kind=host) on device 0 failed: 3 (internal error)".
Error plugin_error(std::string_view plugin, const CallNote& note, int result);

// A plugin that said yes and did what it must not: "<plugin>: regMr(...) on device 0 <what>".
Error plugin_misbehaved(std::string_view plugin, const CallNote& note, std::string_view what);

}  // namespace hawser
