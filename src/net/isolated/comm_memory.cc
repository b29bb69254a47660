#include "net/isolated/comm_memory.h"

#include <fmt/core.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

#include "memory/range.h"
#include "net/isolated/messages.h"

namespace hawser::isolate {
namespace {

constexpr std::uint64_t kMaxSlotBytes = std::uint64_t{1} << 30;

constexpr std::size_t to_pages(std::size_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}
constexpr std::size_t rings_offset() {
  return to_pages(sizeof(CommFields));
}
std::size_t completions_offset(std::uint32_t slots) {
  return rings_offset() + slots * sizeof(Post);
}
std::size_t payload_offset(std::uint32_t slots) {
  return to_pages(completions_offset(slots) + slots * sizeof(Completion));
}

Status check_shape(std::uint32_t slots, std::uint64_t slot_bytes) {
  if (slots >= 1 && slots <= kMaxSlots && slot_bytes >= 1 && slot_bytes <= kMaxSlotBytes &&
      slot_bytes % kPageBytes == 0)
    return {};
  return Error(Code::protocol,
               fmt::format("a comm of {} slots of {} bytes is none", slots, slot_bytes));
}

}  // namespace

CommMemory::CommMemory(std::unique_ptr<SharedMemory> memory, std::uint32_t slots,
                       std::uint64_t slot_bytes)
    : memory_(std::move(memory)),
      slots_(slots),
      slot_bytes_(slot_bytes),
      posts_(reinterpret_cast<Post*>(memory_->data() + rings_offset())),
      completions_(reinterpret_cast<Completion*>(memory_->data() + completions_offset(slots))),
      payload_(memory_->data() + payload_offset(slots)) {}

Result<std::unique_ptr<CommMemory>> CommMemory::create(std::uint32_t slots,
                                                       std::uint64_t slot_bytes) {
  HAWSER_TRY(check_shape(slots, slot_bytes));
  HAWSER_ASSIGN(std::unique_ptr<SharedMemory> memory,
                SharedMemory::create("hawser-comm", payload_offset(slots) + slots * slot_bytes));
  return std::unique_ptr<CommMemory>(new CommMemory(std::move(memory), slots, slot_bytes));
}

Result<std::unique_ptr<CommMemory>> CommMemory::open(UniqueFd fd, std::uint32_t slots,
                                                     std::uint64_t slot_bytes) {
  HAWSER_TRY(check_shape(slots, slot_bytes));
  HAWSER_ASSIGN(std::unique_ptr<SharedMemory> memory,
                SharedMemory::open(std::move(fd), payload_offset(slots) + slots * slot_bytes));
  return std::unique_ptr<CommMemory>(new CommMemory(std::move(memory), slots, slot_bytes));
}

Result<CommBell> CommBell::create(bool for_sends) {
  HAWSER_ASSIGN(EventFd event, EventFd::make());
  CommBell bell(std::move(event), for_sends);
  bell.still();
  return bell;
}

void CommBell::ring() const {
  for_sends_ ? event_.clear() : event_.notify();
}

void CommBell::still() const {
  for_sends_ ? event_.fill() : event_.clear();
}

void futex_sleep(std::atomic<std::uint32_t>& word, std::uint32_t expected,
                 std::int64_t at_most_ns) {
  timespec span{at_most_ns / 1'000'000'000, at_most_ns % 1'000'000'000};
  ::syscall(SYS_futex, &word, FUTEX_WAIT, expected, at_most_ns < 0 ? nullptr : &span, nullptr, 0);
}

void futex_wake(std::atomic<std::uint32_t>& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace hawser::isolate
