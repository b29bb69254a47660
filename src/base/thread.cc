#include "base/thread.h"

#include <fmt/core.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace hawser {
namespace {

constexpr std::size_t kNameBytes = 15;  // what the kernel keeps

struct Start {
  std::string name;
  std::function<void()> work;
};

void* run_start(void* argument) {
  std::unique_ptr<Start> start(static_cast<Start*>(argument));
  Thread::name_this(start->name);
  start->work();
  return nullptr;
}

// A thread inherits the mask of the one that starts it: blocked before, and put back after.
class OtherThreadsSignalsBlocked {
 public:
  OtherThreadsSignalsBlocked() {
    sigset_t blocked;
    sigfillset(&blocked);
    // What a thread's own fault raises would end the process unheard if it were blocked.
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT})
      sigdelset(&blocked, fault);
    pthread_sigmask(SIG_SETMASK, &blocked, &before_);
  }
  ~OtherThreadsSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  OtherThreadsSignalsBlocked(const OtherThreadsSignalsBlocked&) = delete;
  OtherThreadsSignalsBlocked& operator=(const OtherThreadsSignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

Error no_thread(const std::string& name, int err) {
  return Error(Code::system,
               fmt::format("no thread is to be had for {}: {}; see 'ulimit -u', pids.max of the "
                           "cgroup, and the memory limit",
                           name, std::strerror(err)));
}

}  // namespace

Result<Thread> Thread::start(const std::string& name, std::function<void()> work) {
  auto start = std::unique_ptr<Start>(new (std::nothrow) Start{name, std::move(work)});
  if (start == nullptr) return no_thread(name, ENOMEM);
  const OtherThreadsSignalsBlocked blocked;
  pthread_t handle{};
  const int err = ::pthread_create(&handle, nullptr, &run_start, start.get());
  if (err != 0) return no_thread(name, err);
  static_cast<void>(start.release());  // the thread's
  return Thread(handle);
}

Thread::Thread(Thread&& other) noexcept
    : handle_(other.handle_), running_(std::exchange(other.running_, false)), mark_(other.mark_) {}

Thread& Thread::operator=(Thread&& other) noexcept {
  if (this == &other) return *this;
  join();
  handle_ = other.handle_;
  running_ = std::exchange(other.running_, false);
  mark_ = other.mark_;
  return *this;
}

void Thread::join() {
  if (!std::exchange(running_, false) || mark_.inherited()) return;
  // It fails only for a thread that would join itself, and then what it uses is about to go.
  if (::pthread_join(handle_, nullptr) != 0) std::abort();
}

bool Thread::join_within(const Deadline& deadline) {
  for (Backoff backoff; running(); backoff.idle()) {
    const int err = ::pthread_tryjoin_np(handle_, nullptr);
    if (err == 0) running_ = false;
    if (err == 0 || deadline.expired()) break;
  }
  return !running();
}

void Thread::abandon() {
  if (std::exchange(running_, false) && !mark_.inherited()) ::pthread_detach(handle_);
}

void Thread::name_this(const std::string& name) {
  ::pthread_setname_np(::pthread_self(), name.substr(0, kNameBytes).c_str());
}

}  // namespace hawser
