#include "setup_calls.h"

#include <pthread.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace emu {
namespace {

std::string name_of_thread() {
  char name[16] = "?";
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

}  // namespace

SetupCalls::Inside::Inside(SetupCalls& calls, const Place& place, const char* call)
    : calls_(calls), key_(place.context), mine_(calls.enter(place, call)) {}

std::uint64_t SetupCalls::enter(const Place& place, const char* call) {
  Caller caller{0, "'" + name_of_thread() + "' in " + call};
  const std::lock_guard lock(mutex_);
  caller.number = next_++;
  Gpu& gpu = gpus_[place.context];
  if (!gpu.inside.empty()) overlap(gpu, place, gpu.inside.front(), caller);
  gpu.inside.push_back(std::move(caller));
  return gpu.inside.back().number;
}

void SetupCalls::leave(CudaContext key, std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  std::erase_if(gpus_[key].inside, [&](const Caller& one) { return one.number == number; });
}

void SetupCalls::overlap(Gpu& gpu, const Place& place, const Caller& other, const Caller& caller) {
  stats_.overlapping_setups.fetch_add(1, std::memory_order_relaxed);
  if (!gpu.imported) gpu.raced = true;
  if (std::exchange(gpu.told, true)) return;
  const std::string where = place.on_gpu() ? "GPU " + std::to_string(place.gpu) : "the host";
  report_.rule_broken(
      "two threads at once in listen, connect or accept on %s: %s, %s; the real plugin has no lock "
      "there",
      where.c_str(), other.text.c_str(), caller.text.c_str());
}

bool SetupCalls::import(const Place& place) {
  {
    const std::lock_guard lock(mutex_);
    Gpu& gpu = gpus_[place.context];
    if (gpu.imported || std::exchange(gpu.importing, true)) return true;
  }
  std::this_thread::sleep_for(import_time_);
  const std::lock_guard lock(mutex_);
  Gpu& gpu = gpus_[place.context];
  gpu.imported = true;
  return !gpu.raced;
}

}  // namespace emu
