// A whole run of one side, once both have agreed on a plan: passes, barriers, what comes after a
// failure.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "validation/channel_run.h"
#include "validation/outcome.h"
#include "validation/phase.h"
#include "validation/report.h"

namespace hawser {

// Drives a RunState from the main thread.
class Run {
 public:
  using Note = std::function<void(std::string_view)>;
  Run(std::shared_ptr<RunState> state, const Report& report, Note note)
      : state_(std::move(state)), report_(report), note_(std::move(note)) {}

  // Fills outcome.first and, after a failure, what further passes find out: outcome.retry where
  // concurrent creation failed, outcome.alone where there were several channels. Prints the
  // creation and transfer lines of the first pass. An error: no channel was tried.
  Status execute(Outcome& outcome);
  // Afterwards, and after the verdict is out: a plugin may end the process when it is told to
  // close.
  void close();
  // A channel's thread is stuck in a plugin: nothing it may use can be destroyed.
  bool threads_abandoned() const { return abandoned_; }

 private:
  Status allocate();
  void create(std::uint32_t index, PassOutcome& pass);
  void iterate(std::uint32_t index, PassOutcome& pass);
  void iteration(std::uint32_t index, std::uint32_t number, PassOutcome& pass);
  // Ends a pass: hears what the other side has to say of it. Nobody closes before, what the other
  // may still read.
  void settle(std::uint32_t index, PassOutcome& pass);
  void hear_failures(std::uint32_t index, PassOutcome& pass) const;
  void look_further(Outcome& outcome);
  bool usable() const;       // nothing here hangs or has ended
  Status can_go_on() const;  // nor on the other side, which is still there
  // One more pass, of the first channels one at a time. An error: it could not be tried to its end.
  Result<PassOutcome> another_pass(std::uint32_t index, std::size_t channels, const char* what);

  using Work = std::function<ChannelStep(ChannelRun&)>;
  // Runs `work` on the channels that have not failed; gives what became of each to `store`. A
  // thread that does not come back is a failure, told to the peer as one of `stage`.
  void phase(std::uint32_t index, wire::Stage stage, PassOutcome& pass, const Work& work,
             const std::function<void(ChannelOutcome&, bool done)>& store);
  ChannelStep abandon(std::size_t channel);
  bool meet();  // a barrier with the peer; false: it is lost
  void note_losses(PassOutcome& pass) const;
  void note_failures(std::string_view what, const PassOutcome& pass) const;

  std::shared_ptr<RunState> state_;
  const Report& report_;
  Note note_;
  std::uint32_t barrier_ = 0;
  wire::PassDone settled_;  // what both say of the last pass
  bool abandoned_ = false;
};

}  // namespace hawser
