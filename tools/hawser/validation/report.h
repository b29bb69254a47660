// The report, line by line, in the form that scripts know (docs/report.md), and the truth where
// that form would not be true.
#pragma once

#include <fmt/core.h>

#include <functional>
#include <string>
#include <string_view>

#include "validation/outcome.h"
#include "validation/verdict.h"

namespace hawser {

// Writes the report piece by piece, as the run goes on. Not thread-safe.
class Report {
 public:
  using Line = std::function<void(std::string_view)>;
  Report(Line line, const Subject& subject) : line_(std::move(line)), subject_(subject) {}

  void banner() const;
  void starting() const;                         // one line a channel
  void creation(const PassOutcome& pass) const;  // created, or what failed
  void transfers(const PassOutcome& pass) const;
  void verdict(const Outcome& outcome) const;

 private:
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) const;
  template <class... Args>
  void channel_line(std::size_t channel, fmt::format_string<Args...> format, Args&&... args) const;
  void failure_line(std::size_t channel, const ChannelFailure& failure) const;
  void passed(const Outcome& outcome, const Verdict& verdict) const;
  void failed(const Outcome& outcome, const Verdict& verdict) const;

  Line line_;
  const Subject& subject_;
};

std::string outcome_json(const Outcome& outcome);

}  // namespace hawser
