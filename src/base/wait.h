// Waiting for something that must be polled: bounded by a deadline, open to interruption.
#pragma once

#include <fmt/core.h>

#include <functional>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace hawser {

// Asked between polls: an error ends the wait with it. May be empty. Thread-safe.
using Interrupt = std::function<std::optional<Error>()>;

struct WaitBound {
  Deadline deadline;
  Interrupt interrupt;

  // The error that ends a wait now, if any; `what` says what has not happened.
  std::optional<Error> broken(std::string_view what) const {
    if (interrupt)
      if (auto error = interrupt()) return error;
    if (!deadline.expired()) return std::nullopt;
    return Error(Code::timeout,
                 fmt::format("{} did not happen within {} ms", what, deadline.timeout().count()));
  }
};

// Calls `step` (-> Result<bool>: finished?) until it is finished, fails, or the bound breaks.
template <class Step>
Status wait_until(Step&& step, const WaitBound& bound, std::string_view what) {
  Backoff backoff;
  while (true) {
    const Result<bool> finished = step();
    if (!finished.ok()) return finished.error();
    if (*finished) return {};
    if (auto error = bound.broken(what)) return *error;
    backoff.idle();
  }
}

}  // namespace hawser
