#include "engine/reactor.h"

#include <fmt/core.h>

#include <cerrno>
#include <new>
#include <thread>
#include <utility>

#include "base/log.h"
#include "control/pulse.h"

namespace hawser::engine {
namespace {

// With nobody to look after it sleeps; else it looks at the clock so often.
constexpr int kTickMs = 20;
constexpr Milliseconds kHeartbeat{250};

// A link's control connection, and its clock.
class WatchedLink final : public Polled {
 public:
  WatchedLink(std::shared_ptr<LinkCore> link, std::shared_ptr<ControlLine> control,
              Milliseconds peer_silence)
      : link_(std::move(link)),
        control_(std::move(control)),
        pulse_(control_->line(), {kHeartbeat, peer_silence}, frame_of(wire::Heartbeat{})) {}

  void interests(std::vector<Interest>& into) override {
    if (!lost_) into.push_back({control_->fd(), control_->wants_to_write()});
  }

  // Others' descriptors call, too: what only takes time is looked at once in a while.
  bool poll(TimePoint now, bool ready) override {
    try {
      return look(now, ready);
    } catch (const std::bad_alloc&) {  // nobody knows how far it came: the link cannot go on
      link_->ran_out_of_memory();
      return true;
    }
  }

 private:
  bool look(TimePoint now, bool ready) {
    if (!ready && now - looked_at_ < Milliseconds(kTickMs)) return true;
    looked_at_ = now;
    if (!lost_) look_at_control(now, ready);
    link_->look_at_clock(now);
    if (!link_->ended()) return true;
    control_->end();
    return false;
  }

  void look_at_control(TimePoint now, bool ready) {
    Status read;
    if (ready) {
      control_->flush();
      read = control_->read([this](const wire::Record& record) -> Status {
        link_->on_control(record);
        return {};
      });
    }
    if (read.ok()) read = pulse_.check(now);
    if (read.ok()) return;
    lost_ = true;
    link_->on_control_lost(read.error());
  }

  const std::shared_ptr<LinkCore> link_;
  const std::shared_ptr<ControlLine> control_;
  control::Pulse pulse_;
  TimePoint looked_at_{};
  bool lost_ = false;
};

}  // namespace

Result<std::unique_ptr<Reactor>> Reactor::start() {
  HAWSER_ASSIGN(EventFd bell, EventFd::make());
  std::unique_ptr<Reactor> reactor(new Reactor(std::move(bell)));
  HAWSER_ASSIGN(reactor->thread_,
                Thread::start("hw-control", [self = reactor.get()] { self->loop(); }));
  return reactor;
}

Reactor::~Reactor() {
  stopping_.store(true);
  bell_.notify();
  thread_.join();
}

void Reactor::add(std::shared_ptr<Polled> polled) {
  {
    const std::lock_guard lock(mutex_);
    arriving_.push_back(std::move(polled));
  }
  bell_.notify();
}

void Reactor::add_link(std::shared_ptr<LinkCore> link, std::shared_ptr<ControlLine> control,
                       Milliseconds peer_silence) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(links_, [](const auto& known) { return known.expired(); });
    links_.push_back(link);
  }
  add(std::make_shared<WatchedLink>(std::move(link), std::move(control), peer_silence));
}

std::vector<std::shared_ptr<LinkCore>> Reactor::links() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<LinkCore>> alive;
  for (const auto& known : links_)
    if (auto link = known.lock(); link && !link->ended()) alive.push_back(std::move(link));
  return alive;
}

// Without memory it looks again after a tick: a caller is heard, or a link ended, then.
void Reactor::loop() {
  while (!stopping_.load(std::memory_order_relaxed)) {
    try {
      take_arrived();
      const TimePoint now = Clock::system().now();
      std::erase_if(watched_, [now](const Watched& watched) {
        return !watched.polled->poll(now, watched.ready);
      });
      sleep();
    } catch (const std::bad_alloc&) {
      std::this_thread::sleep_for(Milliseconds(kTickMs));
    }
  }
}

void Reactor::take_arrived() {
  const std::lock_guard lock(mutex_);
  watched_.reserve(watched_.size() + arriving_.size());
  for (auto& arrived : arriving_) watched_.push_back({std::move(arrived)});
  arriving_.clear();
}

void Reactor::sleep() {
  interests_.clear();
  for (Watched& watched : watched_) {
    const std::size_t before = interests_.size();
    watched.polled->interests(interests_);
    watched.interests = interests_.size() - before;
  }
  descriptors_.assign(1, {bell_.fd(), POLLIN, 0});
  for (const Polled::Interest& interest : interests_)
    descriptors_.push_back(
        {interest.fd, static_cast<short>(POLLIN | (interest.write ? POLLOUT : 0)), 0});
  const int called =
      ::poll(descriptors_.data(), descriptors_.size(), watched_.empty() ? -1 : kTickMs);
  if (called < 0 && errno != EINTR) return look_at_all(errno);
  std::size_t next = 1;
  for (Watched& watched : watched_) {
    watched.ready = false;
    for (std::size_t i = 0; i < watched.interests; ++i)
      watched.ready = descriptors_[next++].revents != 0 || watched.ready;
  }
  if (called > 0 && descriptors_.front().revents != 0) bell_.clear();
}

// poll(2) refuses as many descriptors as the process may not have, where that was lowered since.
void Reactor::look_at_all(int err) {
  if (!std::exchange(told_, true))
    log_warning(
        "{}; looking every {} ms instead",
        system_error(err, fmt::format("waiting for {} descriptors", descriptors_.size())).message(),
        kTickMs);
  std::this_thread::sleep_for(Milliseconds(kTickMs));
  for (Watched& watched : watched_) watched.ready = true;
}

}  // namespace hawser::engine
