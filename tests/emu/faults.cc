#include "faults.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

namespace emu {
namespace {

constexpr int kMaxPrintsPerRule = 64;

[[noreturn]] void block_for_ever() {
  for (;;) pause();
}

// A wild write, as of a plugin with a bug: the kernel sends the signal, to this thread, with the
// address. Not raise(): a handler that returns from that would let the call go on.
[[noreturn]] void write_where_nothing_is() {
  void* nothing = mmap(nullptr, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (nothing == MAP_FAILED) std::abort();
  for (;;) *static_cast<volatile char*>(nothing) = 1;
}

Outcome wait_or_not_yet(std::chrono::milliseconds delay, FirstCall* first) {
  if (first == nullptr) {
    std::this_thread::sleep_for(delay);
    return {};
  }
  const auto now = std::chrono::steady_clock::now();
  if (!first->has_value()) *first = now;
  if (now - **first < delay) return {Outcome::not_yet};
  return {};
}

}  // namespace

void end_process(const FaultRule& rule) {
  if (rule.action == Action::segv) write_where_nothing_is();
  if (rule.action == Action::abort) std::abort();
  std::exit(static_cast<int>(rule.number));
}

void Faults::print(std::size_t index) {
  if (prints_[index].fetch_add(1) >= kMaxPrintsPerRule) return;
  std::printf("emulated TCPX: %s\n", rules_[index].text.c_str());
  std::fflush(stdout);
}

Outcome Faults::act(std::size_t index, FirstCall* first) {
  const FaultRule& rule = rules_[index];
  const int number = static_cast<int>(rule.number);
  applied();
  switch (rule.action) {
    case Action::fail:
      return {Outcome::fail, number};
    case Action::delay:
      return wait_or_not_yet(std::chrono::milliseconds(rule.number), first);
    case Action::never:
      return {Outcome::not_yet};
    case Action::hang:
      block_for_ever();
    case Action::exit:
    case Action::abort:
    case Action::segv:
      end_process(rule);
    case Action::print:
      print(index);
      return {};
    case Action::corrupt:
    case Action::die:
    case Action::conflict:
    case Action::none:
      return {};  // not of a call: see offset_of, devmem_conflict, find
  }
  return {};
}

Outcome Faults::apply(int target, Side side, int channel, FirstCall* first) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (!rules_[i].concerns(target, side, channel)) continue;
    const Outcome outcome = act(i, first);
    if (outcome.verdict != Outcome::proceed) return outcome;
  }
  return {};
}

const FaultRule* Faults::find(int target, Side side, int channel) const {
  for (const FaultRule& rule : rules_)
    if (rule.concerns(target, side, channel)) return &rule;
  return nullptr;
}

std::optional<std::uint64_t> Faults::offset_of(int target, Side side, int channel) const {
  const FaultRule* const rule = find(target, side, channel);
  if (rule == nullptr) return std::nullopt;
  return static_cast<std::uint64_t>(rule->number);
}

bool Faults::devmem_conflict(Side side) const {
  return find(kTargetDevmem, side, kAnyChannel) != nullptr;
}

}  // namespace emu
