#include "net/tcp/io_thread.h"

#include <fmt/core.h>
#include <sys/epoll.h>

#include <cerrno>

#include "base/cpus.h"
#include "base/log.h"

namespace hawser::tcp {
namespace {

using SteadyClock = std::chrono::steady_clock;

epoll_event edge(IoTask* driven) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = driven;
  return event;
}

}  // namespace

Result<std::unique_ptr<IoThread>> IoThread::start(const IoThreadOptions& options) {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return system_error(errno, "making the epoll of an I/O thread");
  HAWSER_ASSIGN(EventFd bell, EventFd::make());
  epoll_event event = edge(nullptr);
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, bell.fd(), &event) != 0)
    return system_error(errno, "watching the eventfd of an I/O thread");
  std::unique_ptr<IoThread> thread(new IoThread(options, std::move(epoll), std::move(bell)));
  HAWSER_ASSIGN(thread->thread_, Thread::start(fmt::format("hw-io{}", options.index),
                                               [self = thread.get()] { self->run(); }));
  return thread;
}

IoThread::IoThread(const IoThreadOptions& options, UniqueFd epoll, EventFd bell)
    : options_(options), epoll_(std::move(epoll)), bell_(std::move(bell)) {}

IoThread::~IoThread() {
  stopping_.store(true);
  bell_.notify();
  thread_.join();
}

Status IoThread::attach(IoTask& driven, int fd) {
  epoll_event event = edge(&driven);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    return system_error(errno, "giving a data socket to an I/O thread");
  kick(driven);
  return {};
}

void IoThread::detach(IoTask& driven, int fd) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  driven.leaving_.store(true);
  kick(driven);
  std::unique_lock lock(mutex_);
  departure_.wait(lock, [&] { return driven.departed_; });
}

void IoThread::kick(IoTask& driven) {
  if (driven.kicked_.exchange(true)) return;
  IoTask* head = inbox_.load(std::memory_order_relaxed);
  do {
    driven.next_ = head;
  } while (!inbox_.compare_exchange_weak(head, &driven));
  if (asleep_.exchange(false)) bell_.notify();
}

void IoThread::settle_in() const {
  if (options_.cpus.empty()) return;
  if (const int problem = run_this_thread_on(options_.cpus); problem != 0)
    log_warning("I/O thread {} stays where it is: {}", options_.index,
                system_error(problem, "running on CPUs " + cpus_text(options_.cpus)).message());
}

void IoThread::run() {
  settle_in();
  while (!stopping_.load()) {
    take_inbox();
    if (active_ == nullptr) {
      rest();
    } else {
      drive_all();
      busy_until_ = SteadyClock::now() + options_.spin;
      take_events(0);
    }
  }
}

// Looks on while there was work a moment ago, then sleeps. A kick either sees asleep_, and rings,
// or was in the inbox before the last look at it.
void IoThread::rest() {
  if (SteadyClock::now() < busy_until_) return take_events(0);
  asleep_.store(true);
  if (inbox_.load() == nullptr && !stopping_.load()) take_events(-1);
  asleep_.store(false);
}

void IoThread::take_events(int timeout_ms) {
  std::array<epoll_event, kMaxEvents> events;
  const int count =
      epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
  for (int i = 0; i < count; ++i) {
    auto* const driven = static_cast<IoTask*>(events[static_cast<std::size_t>(i)].data.ptr);
    if (driven != nullptr) activate(*driven);
  }
}

void IoThread::take_inbox() {
  IoTask* next =
      inbox_.load(std::memory_order_relaxed) == nullptr ? nullptr : inbox_.exchange(nullptr);
  while (next != nullptr) {
    IoTask& driven = *next;
    next = driven.next_;
    driven.kicked_.store(false);
    if (!driven.leaving_.load())
      activate(driven);
    else if (!driven.kicked_.exchange(true))  // from here on it comes into the inbox no more
      let_go(driven);
    // else detach() has kicked it since: it is in the inbox again, and goes when that is taken.
  }
}

// The last touch: whoever detached it may end it as soon as the lock is free.
void IoThread::let_go(IoTask& driven) {
  for (IoTask** link = &active_; *link != nullptr; link = &(*link)->next_active_)
    if (*link == &driven) {
      *link = driven.next_active_;
      break;
    }
  const std::lock_guard lock(mutex_);
  driven.departed_ = true;
  departure_.notify_all();
}

void IoThread::activate(IoTask& driven) {
  if (driven.active_) return;
  driven.active_ = true;
  driven.next_active_ = active_;
  active_ = &driven;
}

void IoThread::drive_all() {
  for (IoTask** link = &active_; *link != nullptr;) {
    IoTask& driven = **link;
    if (drive(driven) == IoTask::Wait::nothing) {
      link = &driven.next_active_;
      continue;
    }
    driven.active_ = false;
    *link = driven.next_active_;
  }
}

// An exception that left the thread would end the host process.
IoTask::Wait IoThread::drive(IoTask& driven) noexcept {
  try {
    return driven.drive();
  } catch (...) {
    driven.ran_out_of_memory();
    return IoTask::Wait::never;
  }
}

}  // namespace hawser::tcp
