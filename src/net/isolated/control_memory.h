// What a plugin's process leaves in memory for the process that started it, to be read while it
// lives and after its death: its calls in progress, who serves what, and how it ended.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "net/hosted/call_journal.h"
#include "net/isolated/shared_memory.h"

namespace hawser::isolate {

// How a process began to end. Written once, by the thread that does it, as its last act.
enum class Ending : std::uint32_t { none, exits, signal };

// All zero at first. Read with suspicion: a plugin may have written anywhere.
struct ControlFields {
  std::atomic<std::uint32_t> ending_taken{0};
  std::atomic<int> ending_value{0};  // exit status or signal
  std::atomic<int> ending_thread{0};
  std::array<std::atomic<char>, 16> ending_thread_name{};
  std::atomic<Ending> ending{Ending::none};  // publishes the three above

  // Which thread works on which HostCall::call.
  static constexpr std::size_t kMaxServing = 4096;
  struct Serving {
    std::atomic<std::uint64_t> call{0};  // publishes `thread`
    std::atomic<int> thread{0};
  };
  std::array<Serving, kMaxServing> serving{};
};

// The fields, and a journal of the plugin's calls behind them. Owns the mapping.
class ControlMemory {
 public:
  static Result<std::shared_ptr<ControlMemory>> create();
  static Result<std::shared_ptr<ControlMemory>> open(UniqueFd fd);

  ControlFields& fields() { return *reinterpret_cast<ControlFields*>(memory_->data()); }
  CallJournal& journal() { return journal_; }
  const CallJournal& journal() const { return journal_; }
  SharedMemory& memory() { return *memory_; }

  // The call of the plugin that serves this HostCall::call, if it is in one.
  std::optional<CurrentCall> call_of_thread(int thread) const;
  std::optional<CurrentCall> call_that_serves(std::uint64_t call);

 private:
  explicit ControlMemory(std::unique_ptr<SharedMemory> memory);

  std::unique_ptr<SharedMemory> memory_;
  CallJournal journal_;
};

}  // namespace hawser::isolate
