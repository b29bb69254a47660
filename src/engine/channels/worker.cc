#include "engine/channels/worker.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <thread>
#include <utility>

#include "base/cpus.h"
#include "base/log.h"

namespace hawser::engine {
namespace {

using std::chrono::steady_clock;

// While something is waited for, the clock is looked at so often.
constexpr auto kLook = std::chrono::milliseconds(5);
// Channels that must be polled: the pauses between two looks grow from the first to the last.
constexpr auto kShortNap = std::chrono::microseconds(20);
constexpr auto kLongNap = std::chrono::milliseconds(1);
constexpr int kNapDoublings = 6;
constexpr int kRoundsPerNap = 64;

timespec as_timespec(std::chrono::nanoseconds span) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(span);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((span - seconds).count())};
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::start(WorkerOptions options) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return system_error(errno, "making a thread that drives channels");
  HAWSER_ASSIGN(EventFd bell, EventFd::make());
  epoll_event event{EPOLLIN, {.ptr = nullptr}};
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, bell.fd(), &event) != 0)
    return system_error(errno, "making a thread that drives channels");
  std::unique_ptr<Worker> worker(new Worker(std::move(options), std::move(epoll), std::move(bell)));
  HAWSER_ASSIGN(worker->thread_,
                Thread::start(worker->options_.name, [self = worker.get()] { self->loop(); }));
  return worker;
}

Worker::Worker(WorkerOptions options, UniqueFd epoll, EventFd bell)
    : options_(std::move(options)), epoll_(std::move(epoll)), bell_(std::move(bell)) {}

Worker::~Worker() {
  call_back();
  thread_.join();
}

void Worker::call_back() {
  stopping_.store(true);
  bell_.notify();
}

void Worker::abandon(std::shared_ptr<void> all) {
  kept_ = std::move(all);
  thread_.abandon();
}

// The order of flag and look is the sleeper's, reversed: one of the two sees the other.
void Worker::kick(LinkChannel& channel) {
  channel.kicked.store(true, std::memory_order_seq_cst);
  if (asleep_.load(std::memory_order_seq_cst)) bell_.notify();
}

void Worker::add(std::shared_ptr<LinkChannel> channel) {
  auto driven = std::make_unique<Driven>();
  driven->channel = std::move(channel);
  {
    const std::lock_guard lock(mutex_);
    arriving_.push_back(std::move(driven));
    has_mail_.store(true);
  }
  if (asleep_.load()) bell_.notify();
}

void Worker::run(std::function<void(const Channels&)> work) {
  {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
    has_mail_.store(true);
  }
  if (asleep_.load()) bell_.notify();
}

void Worker::loop() {
  if (!options_.cpus.empty()) {
    if (const int err = run_this_thread_on(options_.cpus); err != 0)
      log_info("{} cannot run on CPUs {}", options_.name, cpus_text(options_.cpus));
  }
  while (!stopping_.load(std::memory_order_relaxed)) {
    try {
      if (has_mail_.load(std::memory_order_relaxed)) take_inbox();
      rest(drive_all());
    } catch (const std::bad_alloc&) {  // for the inbox; channels see to theirs
      std::this_thread::sleep_for(kLongNap);
    }
  }
}

void Worker::take_inbox() {
  std::vector<std::function<void(const Channels&)>> work;
  Channels all;
  {
    const std::lock_guard lock(mutex_);
    const std::size_t count = channels_.size() + arriving_.size();
    channels_.reserve(count);  // these two first: where there is no memory, nothing has been taken
    if (!work_.empty()) all.reserve(count);
    for (auto& driven : arriving_) channels_.push_back(std::move(driven));
    arriving_.clear();
    work.swap(work_);
    has_mail_.store(false);
  }
  if (work.empty()) return;
  silent_.store(false, std::memory_order_relaxed);
  for (const auto& driven : channels_) all.push_back(driven->channel);
  for (const auto& todo : work) todo(all);
  std::erase_if(channels_, [](const auto& driven) { return driven->channel->closed(); });
}

bool Worker::drive_all() {
  const TimePoint now = steady_clock::now();
  bool moved = false;
  any_active_ = any_copying_ = any_polling_ = any_timing_ = false;
  for (const auto& driven : channels_) drive(*driven, now, moved);
  if (moved) std::erase_if(channels_, [](const auto& driven) { return driven->channel->closed(); });
  return moved;
}

void Worker::drive(Driven& driven, TimePoint now, bool& moved) {
  LinkChannel& channel = *driven.channel;
  const bool kicked = channel.kicked.load(std::memory_order_relaxed) &&
                      channel.kicked.exchange(false, std::memory_order_seq_cst);
  if (kicked && !driven.active) {
    driven.active = true;
    driven.moved_at = now;
  }
  if (driven.active || (driven.waits.timing && now - driven.looked_at >= kLook)) {
    driven.looked_at = now;
    if (channel.progress(now)) {
      moved = true;
      driven.active = true;
      driven.moved_at = now;
      if (channel.closed()) return;
    } else if (driven.active && now - driven.moved_at >= options_.spin) {
      settle(driven);
    }
  }
  any_active_ = any_active_ || driven.active;
  if (driven.active) return;
  any_copying_ = any_copying_ || driven.waits.copying;
  any_polling_ = any_polling_ || driven.waits.polling;
  any_timing_ = any_timing_ || driven.waits.timing;
}

// From now on its descriptors call, where it has any.
void Worker::settle(Driven& driven) {
  driven.waits = driven.channel->waits();
  driven.active = false;
  const LinkChannel::Waits& waits = driven.waits;
  if (waits.receive_fd < 0 || waits.send_fd < 0) return;
  const int operation = driven.registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (!driven.registered) watch(waits.receive_fd, EPOLLIN, driven, operation);
  if (!driven.registered || driven.armed_out != waits.sending)
    watch(waits.send_fd, waits.sending ? EPOLLOUT : 0U, driven, operation);
  if (!driven.registered)
    driven.channel->before_close([this, waits = driven.waits] { stop_watching(waits); });
  driven.registered = true;
  driven.armed_out = waits.sending;
}

// To close a descriptor is not enough: epoll goes on where another process has it, too.
void Worker::stop_watching(const LinkChannel::Waits& waits) {
  for (const int fd : {waits.receive_fd, waits.send_fd})
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void Worker::watch(int fd, std::uint32_t events, Driven& driven, int operation) {
  epoll_event event{events, {.ptr = &driven}};
  if (::epoll_ctl(epoll_.get(), operation, fd, &event) != 0)
    driven.channel->ask_to_close(system_error(errno, "waiting for a socket of a channel"));
}

// Sleeps, as long as nothing can be missed.
void Worker::rest(bool moved) {
  std::chrono::nanoseconds pause{0};
  if (moved || any_active_) {
    idle_rounds_ = 0;
  } else if (any_copying_) {
    std::this_thread::yield();
  } else if (any_polling_) {
    const int naps = std::min(idle_rounds_++ / kRoundsPerNap, kNapDoublings);
    pause = std::min<std::chrono::nanoseconds>(kShortNap * (1 << naps), kLongNap);
  } else {
    pause = any_timing_ ? std::chrono::nanoseconds(kLook) : std::chrono::nanoseconds(-1);
  }
  const auto kicked = [](const auto& driven) {
    return driven->channel->kicked.load(std::memory_order_seq_cst);
  };
  if (pause.count() != 0) {
    asleep_.store(true, std::memory_order_seq_cst);
    if (has_mail_.load() || stopping_.load() || std::ranges::any_of(channels_, kicked)) pause = {};
  }
  std::array<epoll_event, 64> events;
  const timespec span = as_timespec(std::max(pause, std::chrono::nanoseconds(0)));
  const int count = ::epoll_pwait2(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   pause.count() < 0 ? nullptr : &span, nullptr);
  // A kernel or a sandbox without that call: all are looked at after a pause.
  const bool refused = count < 0 && errno != EINTR;
  if (refused) std::this_thread::sleep_for(kLongNap);
  asleep_.store(false, std::memory_order_seq_cst);
  const TimePoint now = steady_clock::now();
  for (const epoll_event& event :
       std::span(events).first(static_cast<std::size_t>(std::max(count, 0)))) {
    if (event.data.ptr == nullptr) {
      bell_.clear();
      continue;
    }
    auto* const driven = static_cast<Driven*>(event.data.ptr);
    if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) driven->channel->probe();
    if (driven->active) continue;
    driven->active = true;
    driven->moved_at = now;
  }
  // Those that must be polled are looked at after each pause.
  if (any_polling_ || any_copying_ || refused)
    for (const auto& driven : channels_)
      if (driven->waits.polling || driven->waits.copying || refused) driven->active = true;
}

}  // namespace hawser::engine
