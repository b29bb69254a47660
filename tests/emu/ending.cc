#include "ending.h"

#include <sys/prctl.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>

#include "faults.h"

namespace emu {
namespace {

// One that never ends must not save the process.
constexpr std::chrono::seconds kMostPatience{2};

void wait_for_no_call(const CallsInProgress& calls) {
  const auto give_up = std::chrono::steady_clock::now() + kMostPatience;
  while (calls.count() != 0 && std::chrono::steady_clock::now() < give_up)
    std::this_thread::yield();
}

}  // namespace

template <typename End>
void Ending::from_own_thread(End end) {
  if (begun_.exchange(true)) return;
  std::thread([this, end = std::move(end)] {
    prctl(PR_SET_NAME, "emu-worker");
    wait_for_no_call(calls_);
    end();
  }).detach();
}

void Ending::exit_saying(std::string line) {
  from_own_thread([line = std::move(line)] {
    std::fprintf(stderr, "emulated TCPX: %s\n", line.c_str());
    std::exit(1);
  });
}

void Ending::act(const FaultRule& rule) {
  from_own_thread([rule] { end_process(rule); });
}

}  // namespace emu
