#include "validation/phase.h"

#include <fmt/core.h>
#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

namespace hawser {
namespace {

// Shared by the waiting thread and the channels' threads, whichever lives longest.
struct Gathering {
  std::mutex mutex;  // guards results
  std::condition_variable changed;
  std::vector<std::optional<PhaseResult>> results;
};

void name_this_thread(std::size_t channel) {
  pthread_setname_np(pthread_self(), fmt::format("hw-ch{}", channel % 1'000'000).c_str());
}

void store(Gathering& gathering, std::size_t place, PhaseResult result) {
  const std::lock_guard lock(gathering.mutex);
  gathering.results[place] = std::move(result);
  gathering.changed.notify_all();
}

ChannelStep not_run(Code code, std::string why) {
  return {false, ChannelFailure{Operation::stuck, Error(code, std::move(why))}};
}

ChannelStep no_thread(const std::system_error& error) {
  return not_run(Code::system,
                 fmt::format("no thread for the channel: {}; see 'ulimit -u' and the memory limit",
                             error.what()));
}

void begin(const std::shared_ptr<Gathering>& gathering, std::size_t place, std::size_t channel,
           const ChannelTask& task) {
  // The copy of the task goes before the result is out: what it captured must not be let go by a
  // thread that nobody waits for any more.
  auto run = [gathering, place, channel, own = std::make_unique<ChannelTask>(task)]() mutable {
    name_this_thread(channel);
    PhaseResult result{channel, (*own)(channel), false};
    own.reset();
    store(*gathering, place, std::move(result));
  };
  try {
    std::thread(std::move(run)).detach();
  } catch (const std::system_error& error) {
    store(*gathering, place, PhaseResult{channel, no_thread(error), false});
  }
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
  return {channel, not_run(Code::cancelled, "not begun: a channel before it never came back"),
          false};
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
