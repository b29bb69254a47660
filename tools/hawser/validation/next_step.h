// What to do about a run that failed: one line, for whoever runs it.
#pragma once

#include <string>

#include "validation/outcome.h"

namespace hawser {

// The failure that a verdict rests on.
struct Cause {
  Operation operation = Operation::peer;
  Code kind = Code::internal;
  std::string text;  // "channel 1 on the server: tcpx_reg_mr failed: REASON"
};

std::string next_step(const Subject& subject, const Cause& cause);
// Channels conflict: the usual words, where it is TCPX that they conflict in.
std::string next_step_of_conflict(const Subject& subject);
std::string next_step_of_lost_peer();
std::string next_step_without_run(const Error& error);

}  // namespace hawser
