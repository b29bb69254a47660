#include "engine/operations/stream_gate.h"

#include <iterator>

namespace hawser::engine {

void StreamGate::add(std::shared_ptr<GpuEvent> after, Operation operation) {
  const GpuEvent::Stream stream = after->stream();
  streams_[stream].push_back({std::move(after), std::move(operation)});
  count_.fetch_add(1, std::memory_order_relaxed);
}

std::vector<StreamGate::Passed> StreamGate::take_passed() {
  std::vector<Passed> passed;
  for (auto stream = streams_.begin(); stream != streams_.end();) {
    std::deque<Waiting>& queue = stream->second;
    while (!queue.empty()) {
      const Result<bool> there = queue.front().after->finished();
      if (there.ok() && !*there) break;
      passed.push_back(
          {std::move(queue.front().operation), there.ok() ? Status() : Status(there.error())});
      queue.pop_front();
    }
    stream = queue.empty() ? streams_.erase(stream) : std::next(stream);
  }
  count_.fetch_sub(passed.size(), std::memory_order_relaxed);
  return passed;
}

void StreamGate::clear() {
  streams_.clear();
  count_.store(0, std::memory_order_relaxed);
}

}  // namespace hawser::engine
