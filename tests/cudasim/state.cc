#include "state.h"

#include <algorithm>
#include <cstdlib>

namespace cudasim {
namespace {

long environment(const char* name, long otherwise, long most) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return otherwise;
  return std::clamp(std::strtol(text, nullptr, 10), 0L, most);
}

constexpr long kDefaultDelayUs = 20;
constexpr long kMostDelayUs = 10'000'000;

}  // namespace

State& State::get() {
  static State* const state = new State;
  return *state;
}

State::State()
    : pace_(static_cast<unsigned>(
          environment("HAWSER_CUDASIM_COPY_DELAY_US", kDefaultDelayUs, kMostDelayUs))),
      device_count_(static_cast<int>(environment("HAWSER_CUDASIM_GPUS", 1, kMaxDevices))),
      init_result_(static_cast<CUresult>(environment("HAWSER_CUDASIM_INIT_RESULT", 0, 999))) {}

CUresult State::initialise() {
  if (init_result_ != kSuccess) return init_result_;
  if (device_count_ == 0) return kNoDevice;
  initialised_ = true;
  return kSuccess;
}

CUresult State::retain(int device, Context** context) {
  const std::lock_guard lock(mutex_);
  const auto at = static_cast<std::size_t>(device);
  if (retained_[at]++ == 0)
    primary_[at] = contexts_.emplace_back(std::make_unique<Context>(device, pace_)).get();
  *context = primary_[at];
  return kSuccess;
}

CUresult State::release(int device) {
  const std::lock_guard lock(mutex_);
  const auto at = static_cast<std::size_t>(device);
  if (retained_[at] == 0) return kInvalidContext;
  if (--retained_[at] == 0) primary_[at]->alive = false;
  return kSuccess;
}

bool State::known(const Context* context) {
  const std::lock_guard lock(mutex_);
  return std::any_of(contexts_.begin(), contexts_.end(),
                     [&](const auto& one) { return one.get() == context && one->alive; });
}

Queue* State::make_stream(Context* context) {
  auto made = std::make_shared<Queue>(context, pace_);
  const std::lock_guard lock(mutex_);
  std::erase_if(destroyed_, [](const auto& stream) { return stream->idle(); });
  return streams_.emplace(made.get(), made).first->first;
}

CUresult State::destroy_stream(Queue* handle) {
  const std::lock_guard lock(mutex_);
  const auto found = streams_.find(handle);
  if (found == streams_.end()) return kInvalidHandle;
  destroyed_.push_back(std::move(found->second));
  streams_.erase(found);
  return kSuccess;
}

std::shared_ptr<Queue> State::stream(Queue* handle, Context* current) {
  if (handle == nullptr) return {std::shared_ptr<Queue>(), &current->null_stream};
  const std::lock_guard lock(mutex_);
  const auto found = streams_.find(handle);
  return found == streams_.end() ? nullptr : found->second;
}

Event* State::make_event(Context* context) {
  auto made = std::make_shared<Event>(context);
  const std::lock_guard lock(mutex_);
  return events_.emplace(made.get(), made).first->first;
}

CUresult State::destroy_event(Event* handle) {
  const std::lock_guard lock(mutex_);
  return events_.erase(handle) == 1 ? kSuccess : kInvalidHandle;
}

std::shared_ptr<Event> State::event(Event* handle) {
  const std::lock_guard lock(mutex_);
  const auto found = events_.find(handle);
  return found == events_.end() ? nullptr : found->second;
}

void State::wait_for_all() {
  std::vector<std::shared_ptr<Queue>> all;
  {
    const std::lock_guard lock(mutex_);
    all = destroyed_;
    for (const auto& [handle, stream] : streams_) all.push_back(stream);
    for (const auto& context : contexts_)
      all.push_back({std::shared_ptr<Queue>(), &context->null_stream});
  }
  for (const auto& stream : all) stream->wait();
}

std::size_t State::context_count() {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(retained_.begin(), retained_.end(), [](int count) { return count > 0; }));
}

std::size_t State::stream_count() {
  const std::lock_guard lock(mutex_);
  return streams_.size();
}

std::size_t State::event_count() {
  const std::lock_guard lock(mutex_);
  return events_.size();
}

std::vector<Context*>& context_stack() {
  thread_local std::vector<Context*> stack;
  return stack;
}

Context* current_context() {
  return context_stack().empty() ? nullptr : context_stack().back();
}

CUresult require_context() {
  if (!State::get().initialised()) return kNotInitialized;
  const Context* const current = current_context();
  if (current == nullptr) return kInvalidContext;
  return current->alive ? current->fault.load() : static_cast<CUresult>(kContextIsDestroyed);
}

}  // namespace cudasim
