#include "engine/link_core.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/socket.h"
#include "engine/engine_core.h"

namespace hawser::engine {
namespace {

// Channels that have not come up while others have are left to the background after this.
constexpr Milliseconds kGrace{3000};
// For what a peer that ends the link has sent before.
constexpr Milliseconds kLastWords{2000};

}  // namespace

LinkCore::LinkCore(std::shared_ptr<EngineCore> engine, LinkTerms terms,
                   std::shared_ptr<ControlLine> control)
    : engine_(std::move(engine)),
      terms_(std::move(terms)),
      control_(std::move(control)),
      operations_(
          engine_->regions(), engine_->bell(), [this](std::uint64_t bytes) { wake(bytes); },
          OperationsSetup{.ending = engine_->stall(),
                          .room_here = engine_->room(),
                          .room_there = terms_.room_there,
                          .budget = engine_->limits().for_link(terms_.peer),
                          .page_file = engine_->page_file()}),
      slots_(terms_.channels.size()) {
  if (const auto there = sockets::remote_address(control_->fd()); there.ok())
    peer_address_ = there->ip;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].way = terms_.channels[i];
    workers_.push_back(&engine_->worker_for(end_of(slots_[i].way).device));
  }
}

const LinkTerms::End& LinkCore::end_of(const NicWay& way) const {
  return terms_.here[terms_.client ? way.client_device : way.server_device];
}

const std::string& LinkCore::peer_end_of(const NicWay& way) const {
  return terms_.there[terms_.client ? way.server_device : way.client_device].name;
}

const UnpackOptions& LinkCore::unpack() const {
  return engine_->unpack();
}

const std::shared_ptr<PageFile>& LinkCore::page_file(int channel) const {
  return workers_[static_cast<std::size_t>(channel)]->page_file();
}

void LinkCore::start() {
  const Lock lock(mutex_);
  if (!terms_.client) return;
  for (std::size_t i = 0; i < slots_.size(); ++i)
    begin_making(slots_[i], static_cast<int>(i), 1, Making::Turning::never);
}

Status LinkCore::wait_up(const Deadline& deadline) {
  Lock lock(mutex_);
  changed_.wait_for(lock, deadline.remaining(), [this] { return !stage_.coming_up(); });
  if (stage_.ending()) return stage_.why();
  if (stage_.up()) return {};
  return Error(Code::timeout, fmt::format("the link to {} did not come up within {} ms: {}",
                                          terms_.peer, deadline.timeout().count(), what_failed()));
}

bool LinkCore::is_up() const {
  const Lock lock(mutex_);
  return stage_.up();
}

bool LinkCore::ended() const {
  const Lock lock(mutex_);
  return stage_.ended();
}

Status LinkCore::status() const {
  const Lock lock(mutex_);
  return stage_.ending() ? Status(stage_.why()) : Status();
}

void LinkCore::cancel(std::uint64_t op) {
  operations_.stop(op, Error(Code::cancelled, "the transfer was cancelled"));
}

void LinkCore::callback_due(std::shared_ptr<TransferState> ended) {
  engine_->callbacks().add(callbacks_, std::move(ended));
}

Milliseconds LinkCore::stall() const {
  return engine_->stall();
}

std::size_t LinkCore::live() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(slots_, [](const Slot& slot) { return slot.channel != nullptr; }));
}

std::size_t LinkCore::trusted() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      slots_, [](const Slot& slot) { return slot.channel != nullptr && !slot.doubted; }));
}

// ---- what the peer says ----

Status LinkCore::find_target(const wire::WriteChunk& chunk, Target& target) {
  Status found = operations_.find_target(chunk, target);
  if (!found.ok()) close(found.error(), found.error().message());
  return found;
}

Status LinkCore::take_record(std::uint64_t order, const wire::Record& record) {
  if (order != 0) {
    Status taken = operations_.take_message(order, record);
    // Sent again over another channel it would be no better.
    if (!taken.ok()) close(taken.error(), taken.error().message());
    return taken;
  }
  if (std::holds_alternative<wire::Ping>(record)) return {};
  if (const auto* const fault = std::get_if<wire::Fault>(&record)) {
    operations_.take_refusal(*fault);
    return {};
  }
  if (const auto* const room = std::get_if<wire::Room>(&record)) {
    operations_.take_room(*room);
    return {};
  }
  if (const auto* const down = std::get_if<wire::ChannelDown>(&record)) {
    on_channel_down(*down);
    return {};
  }
  if (const auto* const offer = std::get_if<wire::ChannelOffer>(&record)) {
    on_offer(*offer);
    return {};
  }
  return Error(Code::protocol,
               fmt::format("a {} without a number on a channel", wire::record_name(record)));
}

void LinkCore::on_control(const wire::Record& record) {
  if (const auto* const down = std::get_if<wire::ChannelDown>(&record)) on_channel_down(*down);
  if (const auto* const offer = std::get_if<wire::ChannelOffer>(&record)) on_offer(*offer);
  if (std::holds_alternative<wire::Up>(record)) on_peer_up();
  if (const auto* const left = std::get_if<wire::Left>(&record)) on_peer_left(*left);
  if (const auto* const close = std::get_if<wire::Close>(&record)) on_peer_closes(*close);
}

// Its last words, which say what it has taken in, may still be on their way over the channels, and
// an end behind them.
void LinkCore::on_peer_closes(const wire::Close& close) {
  Lock lock(mutex_);
  if (stage_.peer_closes()) return;
  const Error why(Code::peer, fmt::format("{} ended the link: {}", terms_.peer, close.reason));
  if (live() == 0 || !stage_.peer_begins_to_close(why, Clock::system().now() + kLastWords))
    end(lock, why);
}

void LinkCore::on_peer_up() {
  Lock lock(mutex_);
  stage_.come_up_there();
  look_whether_up(lock);
}

// Up for this side: some channels are, and the others had their time. Up: the peer says so, too.
void LinkCore::look_whether_up(Lock& lock) {
  if (!stage_.coming_up()) return;
  const bool settled = std::ranges::all_of(slots_, [](const Slot& slot) { return slot.settled; });
  const bool waited = Clock::system().now() - started_at_ > kGrace;
  if (live() > 0 && (settled || waited) && stage_.come_up_here()) control_->send(wire::Up{});
  if (settled && live() == 0) {
    end(lock, Error(Code::peer,
                    fmt::format("no channel to {} could be made: {}", terms_.peer, what_failed())));
    return;
  }
  if (!stage_.go_up()) return;
  changed_.notify_all();
  if (on_up) {
    const std::function<void()> tell_engine = std::exchange(on_up, nullptr);
    lock.unlock();
    tell_engine();
    lock.lock();
  }
}

std::string LinkCore::what_failed() const {
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (!slots_[i].last_failure.empty())
      return fmt::format("channel {} ({} to {}): {}", i, end_of(slots_[i].way).name,
                         peer_end_of(slots_[i].way), slots_[i].last_failure);
  return "the peer has not said that it is ready";
}

// ---- the clock ----

void LinkCore::look_at_clock(TimePoint now) {
  {
    Lock lock(mutex_);
    if (look_at_end(lock)) return;
  }
  if (auto forced = operations_.look_at_deadlines(now)) let_go(std::move(forced));
  if (const auto why = operations_.overrun()) close(*why, why->message());
  operations_.look_at_streams();
  Lock lock(mutex_);
  if (stage_.ending()) return;
  look_whether_up(lock);
  retry(now);
  if (!stage_.up()) {
    if (stage_.coming_up() && now - started_at_ > Milliseconds(terms_.timeout_ms))
      end(lock, Error(Code::timeout, fmt::format("the link to {} did not come up within {} ms: {}",
                                                 terms_.peer, terms_.timeout_ms, what_failed())));
    return;
  }
  if (stage_.peer_closes()) {
    if (stage_.last_words_over(now)) end(lock, stage_.why());
    return;
  }
  warn(now);
  if (live() > 0 && is_idle()) none_live_since_.reset();
  if (none_live_since_ && now - *none_live_since_ > engine_->peer_silence()) {
    const char* const what = live() == 0 ? "all are down, and none came up again"
                                         : "they have carried nothing but small messages";
    end(lock, Error(Code::peer, fmt::format("the channels to {} are of no use: {} within {} ms: {}",
                                            terms_.peer, what, engine_->peer_silence().count(),
                                            what_failed())));
    return;
  }
  // Before the control connection's silence is its end, channels are asked: the peer is gone where
  // nothing has been heard of it anywhere.
  TimePoint heard = control_->heard_at();
  for (const Slot& slot : slots_)
    if (slot.channel) heard = std::max(heard, slot.channel->heard_at());
  const auto silent = now - heard;
  if (control_lost_ && silent > engine_->peer_silence()) {
    end(lock, Error(Code::peer, fmt::format("{} is gone: {}, and no channel answers", terms_.peer,
                                            control_lost_->message())));
    return;
  }
  if (!control_lost_ && silent < engine_->peer_silence() / 2) return;
  lock.unlock();
  ask_for_a_sign(now);
}

void LinkCore::let_go(std::shared_ptr<const LettingGo> what) {
  const std::set<Worker*> workers(workers_.begin(), workers_.end());
  const auto left = std::make_shared<std::atomic<std::size_t>>(workers.size());
  for (Worker* const worker : workers)
    worker->run([self = shared_from_this(), what, left](const Worker::Channels& channels) {
      for (const auto& channel : channels)
        if (channel->is_of(*self)) channel->let_go(*what);
      if (left->fetch_sub(1) == 1) self->operations_.let_go(*what);
    });
}

void LinkCore::on_control_lost(const Error& why) {
  Lock lock(mutex_);
  if (stage_.ending() || control_lost_) return;
  control_lost_ = why;
  if (stage_.peer_closes()) return;
  if (stage_.up() && live() > 0) {
    log_info("{}: {}; the channels go on", terms_.peer, why.message());
    return;
  }
  end(lock, Error(Code::peer, fmt::format("{} is gone: {}", terms_.peer, why.message())));
}

// Nothing waits, and nothing is under way, nor was on a channel that went down.
bool LinkCore::is_idle() const {
  if (operations_.unsent_bytes() > 0 || resolving_ > 0) return false;
  return std::ranges::all_of(slots_, [](const Slot& slot) {
    if (!slot.unresolved.empty()) return false;
    return slot.channel == nullptr || slot.channel->load().outstanding == 0;
  });
}

}  // namespace hawser::engine
