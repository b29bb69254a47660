#include "validation/hold.h"

#include <unistd.h>

#include "base/log.h"
#include "base/parameters.h"

namespace hawser {

void hold_at(std::string_view step) {
  if (parameters::kHoldAt.text() != step) return;
  log_error("holding at {} for ever, as HAWSER_HOLD_AT asks", step);
  while (true) ::pause();
}

}  // namespace hawser
