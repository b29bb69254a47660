#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "support/failing_memory.h"

namespace hawser::test {
namespace {

// Publish nothing but themselves.
std::atomic<bool> armed{false};
std::atomic<std::int64_t> before_first{0};  // goes on below 0
std::atomic<std::int64_t> to_fail{0};

bool is_ours() {
  char name[16] = {};
  ::pthread_getname_np(::pthread_self(), name, sizeof name);
  return std::strncmp(name, "hw-", 3) == 0;
}

[[maybe_unused]] bool fails_now() {
  if (!armed.load(std::memory_order_relaxed) || !is_ours()) return false;
  const std::int64_t number = before_first.fetch_sub(1, std::memory_order_relaxed);
  return number <= 0 && -number < to_fail.load(std::memory_order_relaxed);
}

}  // namespace

FailingMemory::FailingMemory(std::size_t number, std::size_t count) {
  before_first.store(static_cast<std::int64_t>(number));
  to_fail.store(static_cast<std::int64_t>(count));
  armed.store(true);
}

FailingMemory::~FailingMemory() {
  armed.store(false);
}

std::size_t FailingMemory::failed() const {
  const std::int64_t seen = 1 - before_first.load();
  return seen <= 0 ? 0 : static_cast<std::size_t>(std::min(seen, to_fail.load()));
}

}  // namespace hawser::test

namespace {

void* allocate(std::size_t bytes) noexcept {
  return hawser::test::fails_now() ? nullptr : std::malloc(bytes == 0 ? 1 : bytes);
}

}  // namespace

void* operator new(std::size_t bytes) {
  void* const at = allocate(bytes);
  if (at == nullptr) throw std::bad_alloc();
  return at;
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return allocate(bytes);
}
void operator delete(void* at) noexcept {
  std::free(at);
}
void operator delete(void* at, std::size_t) noexcept {
  std::free(at);
}
