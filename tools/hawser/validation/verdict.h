// What an outcome proves about channels and each other, and what it leaves open.
#pragma once

#include <string>

#include "validation/outcome.h"

namespace hawser {

enum class Conclusion {
  works,         // every channel passed, on both sides
  conflict,      // one channel alone passes, several do not, in a way that channels can cause
  undetermined,  // the run failed, and proves nothing about channels and each other
};

const char* conclusion_name(Conclusion conclusion);  // "works", "conflict", "not determined"

// `reason` and `next_step` are one line each; empty where all is well.
struct Verdict {
  Conclusion conclusion = Conclusion::undetermined;
  std::string reason;
  std::string next_step;
  bool wrong_bytes = false;  // a conflict of another kind: data was spoiled
};

// From values alone, and from what both sides know: they come to the same conclusion and reason.
Verdict judge(const Outcome& outcome);

// "RESOLVED", "STILL PRESENT", or why neither can be said of this run.
std::string devmem_finding(const Outcome& outcome, Conclusion conclusion);

}  // namespace hawser
