// A whole run of one side, once both have agreed on a plan: passes, barriers, the retry.
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

  // Fills outcome.first and, after concurrent creation failed, outcome.retry; prints the creation
  // and transfer lines of the first pass as they become known. An error: no channel was tried.
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
  void agree(PassOutcome& pass);
  void retry(Outcome& outcome);

  using Work = std::function<ChannelStep(ChannelRun&)>;
  // Runs `work` on the channels that have not failed; gives what became of each to `store`. A
  // thread that does not come back is a failure, told to the peer as one of `stage`.
  void phase(std::uint32_t index, wire::Stage stage, PassOutcome& pass, const Work& work,
             const std::function<void(ChannelOutcome&, bool done)>& store);
  ChannelStep abandon(std::uint32_t index, wire::Stage stage, std::size_t channel);
  bool meet();  // a barrier with the peer; false: it is lost
  void note_losses(PassOutcome& pass) const;
  void note_failures(const char* what, const PassOutcome& pass) const;

  std::shared_ptr<RunState> state_;
  const Report& report_;
  Note note_;
  std::uint32_t barrier_ = 0;
  bool abandoned_ = false;
};

}  // namespace hawser
