#include "engine/link_core.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
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
      operations_(engine_->regions(), engine_->bell(),
                  [this](std::uint64_t bytes) { wake(bytes); }),
      slots_(terms_.channels.size()) {
  for (const LinkTerms::Channel& channel : terms_.channels)
    workers_.push_back(&engine_->worker_for(channel.device));
}

const UnpackOptions& LinkCore::unpack() const {
  return engine_->unpack();
}

void LinkCore::start() {
  const Lock lock(mutex_);
  if (!terms_.client) return;
  for (std::size_t i = 0; i < slots_.size(); ++i)
    begin_making(slots_[i], static_cast<int>(i), 1, nullptr);
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

Milliseconds LinkCore::stall() const {
  return engine_->stall();
}

// ---- who sends what ----

// Whoever sleeps is woken: one for a little, all for much.
void LinkCore::wake(std::uint64_t bytes) {
  const Lock lock(mutex_);
  if (bytes <= terms_.chunk_bytes) {
    if (LinkChannel* const best = best_channel(bytes))
      workers_[static_cast<std::size_t>(best->index())]->kick(*best);
    return;
  }
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (slots_[i].channel) workers_[i]->kick(*slots_[i].channel);
}

// Of the channels that are up, and do not stand still.
LinkLoad LinkCore::load() const {
  LinkLoad all;
  for (const Slot& slot : slots_)
    if (slot.channel != nullptr && !slot.channel->suspicious()) all.add(slot.channel->load());
  return all;
}

LinkChannel* LinkCore::best_channel(std::uint64_t bytes) const {
  LinkChannel* best = nullptr;
  double soonest = 0;
  const LinkLoad all = load();
  for (const Slot& slot : slots_) {
    if (slot.channel == nullptr || slot.channel->suspicious()) continue;
    const double end = all.finish(slot.channel->load(), bytes);
    if (best != nullptr && end >= soonest) continue;
    soonest = end;
    best = slot.channel.get();
  }
  return best;
}

// Who leaves it to a better one sees to it that this one knows: rates may have changed since it was
// last woken, and a channel with nothing on its way hears of nothing.
bool LinkCore::may_take(const LinkChannel& channel) const {
  const Lock lock(mutex_);
  const std::uint64_t unsent = operations_.unsent_bytes();
  if (load().may_take(channel.load(), unsent, terms_.chunk_bytes)) return true;
  LinkChannel* const best = best_channel(std::min<std::uint64_t>(unsent, terms_.chunk_bytes));
  if (best != nullptr && best != &channel && best->load().outstanding == 0)
    workers_[static_cast<std::size_t>(best->index())]->kick(*best);
  return false;
}

// ---- signs of life ----

TimePoint LinkCore::heard_elsewhere(const LinkChannel& channel) const {
  const Lock lock(mutex_);
  TimePoint heard{};
  for (const Slot& slot : slots_)
    if (slot.channel && slot.channel.get() != &channel)
      heard = std::max(heard, slot.channel->heard_at());
  return heard;
}

TimePoint LinkCore::heard_on_control() const {
  return control_->heard_at();
}

// A question on every channel, at most once in a while. It wakes them, too: they take over messages
// that were left to one that stands still.
void LinkCore::ask_for_a_sign(TimePoint now) {
  TimePoint last = asked_at_.load(std::memory_order_relaxed);
  if (now - last < stall() / 4 || !asked_at_.compare_exchange_strong(last, now)) return;
  const Lock lock(mutex_);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].channel == nullptr) continue;
    slots_[i].channel->ask_for_a_sign();
    workers_[i]->kick(*slots_[i].channel);
  }
}

std::size_t LinkCore::live() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(slots_, [](const Slot& slot) { return slot.channel != nullptr; }));
}

// ---- what the peer says ----

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
      return fmt::format("channel {} ({} to {}): {}", i, terms_.channels[i].device_name,
                         terms_.channels[i].peer_device_name, slots_[i].last_failure);
  return "the peer has not said that it is ready";
}

// ---- the clock ----

void LinkCore::look_at_clock(TimePoint now) {
  operations_.look_at_deadlines(now);
  operations_.look_at_streams();
  Lock lock(mutex_);
  if (stage_.ending()) return;
  look_whether_up(lock);
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
  retry(now);
  warn(now);
  if (none_live_since_ && now - *none_live_since_ > engine_->peer_silence()) {
    end(lock, Error(Code::peer,
                    fmt::format("all channels to {} are down, and none came up again "
                                "within {} ms: {}",
                                terms_.peer, engine_->peer_silence().count(), what_failed())));
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

// ---- the end ----

void LinkCore::close(const Error& why, std::string_view tell_peer) {
  Lock lock(mutex_);
  if (stage_.ending()) return;
  if (!tell_peer.empty()) control_->send(wire::Close{tell_peer});
  end(lock, why, LinkChannel::How::in_order);
}

void LinkCore::end(Lock& lock, const Error& cause, LinkChannel::How how) {
  if (!stage_.begin_to_end(cause)) return;
  const Error& why = stage_.why();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].making) slots_[i].making->cancel(why);
    if (!slots_[i].channel) continue;
    slots_[i].channel->ask_to_close(why, how);
    workers_[i]->kick(*slots_[i].channel);
  }
  changed_.notify_all();
  finish_end(lock);
}

// Only when no channel is left: until then somebody may write to a user's memory.
void LinkCore::finish_end(Lock& lock) {
  if (live() > 0 || !stage_.begin_to_finish()) return;
  const Error why = stage_.why();
  // What went down before and nobody resolves any more: it keeps regions in use.
  std::vector<Unresolved> left;
  for (Slot& slot : slots_)
    std::move(slot.unresolved.begin(), slot.unresolved.end(), std::back_inserter(left));
  for (Slot& slot : slots_) slot.unresolved.clear();
  lock.unlock();
  left.clear();
  operations_.end(why);
  lock.lock();
  stage_.end();
  changed_.notify_all();
}

bool LinkCore::wait_ended(const Deadline& deadline) {
  Lock lock(mutex_);
  return changed_.wait_for(lock, deadline.remaining(), [this] { return stage_.ended(); });
}

LinkReport LinkCore::report() const {
  const Lock lock(mutex_);
  LinkReport report;
  report.peer = terms_.peer;
  report.up = stage_.up();
  if (stage_.ending()) report.reason = stage_.why().message();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    ChannelReport channel;
    channel.index = static_cast<int>(i);
    channel.device = terms_.channels[i].device_name;
    channel.peer_device = terms_.channels[i].peer_device_name;
    channel.state = slot.channel                   ? ChannelState::up
                    : slot.making && !slot.settled ? ChannelState::connecting
                                                   : ChannelState::down;
    channel.bytes_sent = slot.bytes_sent;
    channel.bytes_received = slot.bytes_received;
    channel.bytes_sent_again = slot.bytes_again;
    channel.failures = slot.failures;
    channel.last_failure = slot.last_failure;
    if (slot.channel) {
      channel.bytes_sent += slot.channel->bytes_sent();
      channel.bytes_received += slot.channel->bytes_received();
      channel.bytes_sent_again += slot.channel->bytes_again();
      channel.rate_bytes_per_s = slot.channel->load().rate;
    }
    report.channels.push_back(std::move(channel));
  }
  return report;
}

}  // namespace hawser::engine
