// What a check of a set-up found wrong, and what to do about it.
#pragma once

#include <string>

namespace hawser {

enum class Severity { error, warning };

// A value.
struct Finding {
  Severity severity = Severity::error;
  std::string what;  // is wrong, and what would come of it
  std::string fix;   // what to do: an imperative

  std::string text() const { return what + ": " + fix; }
};

}  // namespace hawser
