// Findings for people, and for programs.
#pragma once

#include <string>

#include "socket_choices/survey.h"

namespace hawser::bench {

// What a figure means nothing without. A value.
struct Circumstances {
  std::string machine;  // kernel, processor
  int sender_cpu = -1;  // -1: not pinned
  int receiver_cpu = -1;
  std::string congestion;  // of all but the variants of that group
};

std::string table_of(const Plan& plan, const Circumstances& circumstances,
                     const Findings& findings);
std::string json_of(const Plan& plan, const Circumstances& circumstances, const Findings& findings);

}  // namespace hawser::bench
