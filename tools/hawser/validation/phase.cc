#include "validation/phase.h"

#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "base/thread.h"

namespace hawser {
namespace {

// Shared by the waiting thread and the channels' threads, whichever lives longest.
struct Gathering {
  std::mutex mutex;  // guards results
  std::condition_variable changed;
  std::vector<std::optional<PhaseResult>> results;
};

void store(Gathering& gathering, std::size_t place, PhaseResult result) {
  const std::lock_guard lock(gathering.mutex);
  gathering.results[place] = std::move(result);
  gathering.changed.notify_all();
}

ChannelStep not_run(Error why) {
  return {false, ChannelFailure{Operation::stuck, std::move(why)}};
}

void begin(const std::shared_ptr<Gathering>& gathering, std::size_t place, std::size_t channel,
           const ChannelTask& task) {
  // The copy of the task goes before the result is out: what it captured must not be let go by a
  // thread that nobody waits for any more.
  auto run = [gathering, place, channel, own = std::make_shared<ChannelTask>(task)]() mutable {
    PhaseResult result{channel, (*own)(channel), false};
    own.reset();
    store(*gathering, place, std::move(result));
  };
  auto thread = Thread::start(fmt::format("hw-ch{}", channel), std::move(run));
  if (thread.ok())
    thread->abandon();
  else
    store(*gathering, place, PhaseResult{channel, not_run(thread.error()), false});
}

std::vector<PhaseResult> gather(Gathering& gathering, const std::vector<std::size_t>& channels,
                                Milliseconds give_up) {
  std::unique_lock lock(gathering.mutex);
  gathering.changed.wait_for(lock, give_up, [&] {
    return std::all_of(gathering.results.begin(), gathering.results.end(),
                       [](const auto& r) { return r.has_value(); });
  });
  std::vector<PhaseResult> results;
  for (std::size_t i = 0; i < channels.size(); ++i)
    results.push_back(gathering.results[i].value_or(PhaseResult{channels[i], {}, true}));
  return results;
}

std::vector<PhaseResult> run_together(const std::vector<std::size_t>& channels,
                                      const ChannelTask& task, Milliseconds give_up) {
  const auto gathering = std::make_shared<Gathering>();
  gathering->results.resize(channels.size());
  for (std::size_t i = 0; i < channels.size(); ++i) begin(gathering, i, channels[i], task);
  return gather(*gathering, channels, give_up);
}

PhaseResult not_begun(std::size_t channel) {
  return {channel,
          not_run(Error(Code::cancelled, "not begun: a channel before it never came back")), false};
}

}  // namespace

std::vector<PhaseResult> run_phase(const std::vector<std::size_t>& channels, bool serialized,
                                   const ChannelTask& task, Milliseconds give_up) {
  if (!serialized) return run_together(channels, task, give_up);
  std::vector<PhaseResult> results;
  bool abandoned = false;
  for (const std::size_t channel : channels) {
    results.push_back(abandoned ? not_begun(channel)
                                : run_together({channel}, task, give_up).front());
    abandoned = abandoned || results.back().abandoned;
  }
  return results;
}

}  // namespace hawser
