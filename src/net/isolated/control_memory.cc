#include "net/isolated/control_memory.h"

namespace hawser::isolate {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kJournalOffset =
    (sizeof(ControlFields) + kAlignment - 1) / kAlignment * kAlignment;

std::size_t control_bytes() {
  return kJournalOffset + CallJournal::memory_bytes();
}

}  // namespace

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(std::atomic<Ending>::is_always_lock_free);

ControlMemory::ControlMemory(std::unique_ptr<SharedMemory> memory)
    : memory_(std::move(memory)), journal_(memory_->data() + kJournalOffset) {}

Result<std::shared_ptr<ControlMemory>> ControlMemory::create() {
  HAWSER_ASSIGN(std::unique_ptr<SharedMemory> memory,
                SharedMemory::create("hawser-plugin", control_bytes()));
  return std::shared_ptr<ControlMemory>(new ControlMemory(std::move(memory)));
}

Result<std::shared_ptr<ControlMemory>> ControlMemory::open(UniqueFd fd) {
  HAWSER_ASSIGN(std::unique_ptr<SharedMemory> memory,
                SharedMemory::open(std::move(fd), control_bytes()));
  return std::shared_ptr<ControlMemory>(new ControlMemory(std::move(memory)));
}

std::optional<CurrentCall> ControlMemory::call_of_thread(int thread) const {
  for (CurrentCall& call : journal_.current_calls())
    if (call.thread == thread) return std::move(call);
  return std::nullopt;
}

std::optional<CurrentCall> ControlMemory::call_that_serves(std::uint64_t call) {
  for (const ControlFields::Serving& serving : fields().serving)
    if (serving.call.load(std::memory_order_acquire) == call)
      return call_of_thread(serving.thread.load(std::memory_order_relaxed));
  return std::nullopt;
}

}  // namespace hawser::isolate
