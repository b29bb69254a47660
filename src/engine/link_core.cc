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
// A new attempt at a channel that went down.
constexpr Milliseconds kRemaking{5000};
constexpr int kMostDoublings = 4;
constexpr Milliseconds kWarnAfter{200};
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

void LinkCore::start() {
  const Lock lock(mutex_);
  if (!terms_.client) return;
  for (std::size_t i = 0; i < slots_.size(); ++i)
    begin_making(slots_[i], static_cast<int>(i), 1, nullptr);
}

Status LinkCore::wait_up(const Deadline& deadline) {
  Lock lock(mutex_);
  changed_.wait_for(lock, deadline.remaining(), [this] { return up_ || ending_ || ended_; });
  if (ending_) return *ending_;
  if (up_) return {};
  return Error(Code::timeout, fmt::format("the link to {} did not come up within {} ms: {}",
                                          terms_.peer, deadline.timeout().count(), what_failed()));
}

bool LinkCore::is_up() const {
  const Lock lock(mutex_);
  return up_ && !ending_;
}

bool LinkCore::ended() const {
  const Lock lock(mutex_);
  return ended_;
}

Status LinkCore::status() const {
  const Lock lock(mutex_);
  return ending_ ? Status(*ending_) : Status();
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

// Of the channels that are up, and do not stand still. One that has not been measured is taken to
// be as fast as the others.
LinkCore::Rates LinkCore::rates() const {
  Rates all;
  std::size_t unknown = 0;
  std::size_t known = 0;
  for (const Slot& slot : slots_) {
    if (slot.channel == nullptr || slot.channel->suspicious()) continue;
    const double rate = slot.channel->rate();
    all.sum += rate;
    all.fastest = std::max(all.fastest, rate);
    all.outstanding += slot.channel->outstanding();
    ++(rate > 0 ? known : unknown);
  }
  if (known == 0) return {1.0, 1.0, 1.0, all.outstanding};
  all.average = all.sum / static_cast<double>(known);
  all.sum += all.average * static_cast<double>(unknown);
  return all;
}

// When it would be through with so many bytes more, in seconds.
double LinkCore::finish(const LinkChannel& channel, std::uint64_t bytes, const Rates& all) {
  const double rate = channel.rate() > 0 ? channel.rate() : all.average;
  return static_cast<double>(channel.outstanding() + bytes) / rate;
}

LinkChannel* LinkCore::best_channel(std::uint64_t bytes) const {
  LinkChannel* best = nullptr;
  double soonest = 0;
  const Rates all = rates();
  for (const Slot& slot : slots_) {
    if (slot.channel == nullptr || slot.channel->suspicious()) continue;
    const double end = finish(*slot.channel, bytes, all);
    if (best != nullptr && end >= soonest) continue;
    soonest = end;
    best = slot.channel.get();
  }
  return best;
}

// Whether this channel should take the next chunk: it would be through with it no later than all
// channels together with all there is, and one chunk of the fastest.
bool LinkCore::may_take(const LinkChannel& channel) const {
  const Lock lock(mutex_);
  const Rates all = rates();
  const std::uint64_t unsent = operations_.unsent_bytes();
  const double everything = static_cast<double>(unsent + all.outstanding) / all.sum;
  const std::uint64_t next = std::min<std::uint64_t>(unsent, terms_.chunk_bytes);
  return finish(channel, next, all) <=
         everything + static_cast<double>(terms_.chunk_bytes) / all.fastest;
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
  if (const auto* const close = std::get_if<wire::Close>(&record)) on_peer_closes(*close);
}

// Its last words, which say what it has taken in, may still be on their way over the channels, and
// an end behind them.
void LinkCore::on_peer_closes(const wire::Close& close) {
  Lock lock(mutex_);
  if (ending_ || peer_closes_) return;
  peer_closes_ = Error(Code::peer, fmt::format("{} ended the link: {}", terms_.peer, close.reason));
  last_words_until_ = Clock::system().now() + kLastWords;
  if (!up_ || live() == 0) end(lock, *peer_closes_);
}

void LinkCore::on_peer_up() {
  Lock lock(mutex_);
  peer_up_ = true;
  look_whether_up(lock);
}

// Over channels and the control connection alike, whichever gets there: any of them may be dead
// without a word. What comes twice is known by its generation.
void LinkCore::tell(wire::Record record, std::string text) {
  auto message = std::make_shared<Message>();
  const auto bytes = std::as_bytes(std::span(text));
  message->bytes.assign(bytes.begin(), bytes.end());
  if (auto* const down = std::get_if<wire::ChannelDown>(&record))
    down->reason = {reinterpret_cast<const char*>(message->bytes.data()), message->bytes.size()};
  message->record = record;
  bool by_channel = false;
  bool by_control = false;
  {
    const Lock lock(mutex_);
    by_channel = up_ && live() > 0;
    by_control = !control_lost_;
  }
  if (by_control) control_->send(message->record);
  if (by_channel) operations_.post_unordered(std::move(message));
}

// ---- channels in the making ----

void LinkCore::begin_making(Slot& slot, int index, std::uint32_t generation,
                            const Handle* peer_handle) {
  const std::weak_ptr<LinkCore> link = weak_from_this();
  Making::Outcome outcome;
  outcome.offer = [link, index, generation](const Handle& handle) {
    if (const auto self = link.lock()) self->offer(index, generation, handle);
  };
  outcome.made = [link](ChannelEnds ends) {
    if (const auto self = link.lock()) self->channel_made(std::move(ends));
  };
  outcome.failed = [link, index, generation](const Error& why) {
    if (const auto self = link.lock()) self->channel_not_made(index, generation, why);
  };
  slot.generation = generation;
  const Milliseconds bound = up_ ? kRemaking : Milliseconds(terms_.timeout_ms);
  slot.making = std::make_shared<Making>(
      engine_->net(), terms_.channels[static_cast<std::size_t>(index)].device, index, generation,
      Deadline::after(bound), std::move(outcome));
  if (peer_handle != nullptr) slot.making->set_peer_handle(*peer_handle);
  engine_->maker().add(slot.making);
}

void LinkCore::offer(int index, std::uint32_t generation, const Handle& handle) {
  tell(wire::ChannelOffer{static_cast<std::uint32_t>(index), generation, handle});
}

// The client's begins a channel, the server's answers it.
void LinkCore::on_offer(const wire::ChannelOffer& offer) {
  const Lock lock(mutex_);
  if (ending_ || offer.channel >= slots_.size()) return;
  Slot& slot = slots_[offer.channel];
  if (terms_.client) {
    if (slot.making && slot.making->generation() == offer.generation)
      slot.making->set_peer_handle(offer.handle);
    return;
  }
  if (offer.generation <= slot.generation) return;
  if (slot.making)
    slot.making->cancel(Error(Code::cancelled, "the peer has begun the channel anew"));
  if (slot.channel) {
    slot.channel->ask_to_close(Error(Code::peer, "the peer has begun the channel anew"));
    workers_[offer.channel]->kick(*slot.channel);
  }
  begin_making(slot, static_cast<int>(offer.channel), offer.generation, &offer.handle);
}

void LinkCore::channel_made(ChannelEnds ends) {
  const auto index = static_cast<std::size_t>(ends.index);
  const std::uint32_t generation = ends.generation;
  auto channel = LinkChannel::create(shared_from_this(), std::move(ends));
  if (!channel.ok()) {
    channel_not_made(static_cast<int>(index), generation, channel.error());
    return;
  }
  Lock lock(mutex_);
  Slot& slot = slots_[index];
  if (ending_ || generation != slot.generation || slot.channel) {
    lock.unlock();
    (*channel)->abandon();
    channel_not_made(static_cast<int>(index), generation,
                     Error(Code::cancelled, "the channel was begun anew, or is not needed"));
    return;
  }
  slot.making.reset();
  slot.settled = true;
  slot.channel = *channel;
  slot.made_at = Clock::system().now();
  none_live_since_.reset();
  for (const wire::ChannelDown& down : slot.peer_down)
    if (down.generation == generation)
      slot.channel->ask_to_close(Error(Code::peer, "the peer gave it up at once"));
  workers_[index]->add(*channel);
  if (generation > 1)
    log_info("{}: channel {} ({}) is back", terms_.peer, index, terms_.channels[index].device_name);
  look_whether_up(lock);
}

// The peer may have it, and waits for word of what has been taken in: nothing.
void LinkCore::channel_not_made(int index, std::uint32_t generation, const Error& why) {
  {
    Lock lock(mutex_);
    Slot& slot = slots_[static_cast<std::size_t>(index)];
    std::erase_if(slot.peer_down, [&](const auto& down) { return down.generation == generation; });
    if (generation == slot.generation) {
      slot.making.reset();
      slot.settled = true;
      failed(slot, why);
      log_warning("{}: channel {} ({}) was not made: {}", terms_.peer, index,
                  terms_.channels[static_cast<std::size_t>(index)].device_name, why.message());
      look_whether_up(lock);
    }
    if (ending_) return;
  }
  tell(wire::ChannelDown{static_cast<std::uint32_t>(index), generation, 0, 0, {}}, why.message());
}

void LinkCore::failed(Slot& slot, const Error& why) {
  ++slot.failures;
  slot.last_failure = why.message();
  slot.retry_at = Clock::system().now() + pause_after_failures(slot);
  ++slot.failures_in_a_row;
}

Milliseconds LinkCore::pause_after_failures(const Slot& slot) const {
  return engine_->retry() * (1 << std::min(slot.failures_in_a_row, kMostDoublings));
}

// Up for this side: some channels are, and the others had their time. Up: the peer says so, too.
void LinkCore::look_whether_up(Lock& lock) {
  if (up_ || ending_) return;
  const bool settled = std::ranges::all_of(slots_, [](const Slot& slot) { return slot.settled; });
  const bool waited = Clock::system().now() - started_at_ > kGrace;
  if (!told_up_ && live() > 0 && (settled || waited)) {
    told_up_ = true;
    control_->send(wire::Up{});
  }
  if (settled && live() == 0) {
    end(lock, Error(Code::peer,
                    fmt::format("no channel to {} could be made: {}", terms_.peer, what_failed())));
    return;
  }
  if (!told_up_ || !peer_up_) return;
  up_ = true;
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

// ---- channels that end ----

void LinkCore::channel_closed(const LinkChannel& channel, const Error& why, const wire::Ack& taken,
                              Unacknowledged left) {
  {
    Lock lock(mutex_);
    Slot& slot = slots_[static_cast<std::size_t>(channel.index())];
    slot.bytes_sent += channel.bytes_sent();
    slot.bytes_received += channel.bytes_received();
    slot.bytes_again += channel.bytes_again();
    if (slot.channel.get() == &channel) slot.channel.reset();
    if (peer_closes_ && live() == 0) end(lock, *peer_closes_);
    if (ending_) {
      finish_end(lock);
      return;
    }
    if (peer_closes_) return;
    // One that lasted has earned a fresh start.
    if (Clock::system().now() - slot.made_at > pause_after_failures(slot))
      slot.failures_in_a_row = 0;
    failed(slot, why);
    if (live() == 0) none_live_since_ = Clock::system().now();
    slot.untold = fmt::format(
        "{}: channel {} ({}) is down: {}", terms_.peer, channel.index(),
        terms_.channels[static_cast<std::size_t>(channel.index())].device_name, why.message());
    slot.untold_since = Clock::system().now();
    const auto known =
        std::ranges::find(slot.peer_down, channel.generation(), &wire::ChannelDown::generation);
    if (known == slot.peer_down.end()) {
      slot.unresolved.push_back({channel.generation(), std::move(left)});
    } else {
      const wire::Ack peer_taken{known->frames, known->chunks};
      std::erase_if(slot.peer_down,
                    [&](const auto& down) { return down.generation <= channel.generation(); });
      resolve(slot, left, peer_taken, lock);
    }
    if (!control_lost_ || live() > 0)
      changed_.notify_all();
    else
      end(lock, Error(Code::peer, fmt::format("{} is gone: {}; {}", terms_.peer,
                                              control_lost_->message(), why.message())));
    if (ending_) return;
  }
  send_channel_down(channel, taken, why);
}

void LinkCore::send_channel_down(const LinkChannel& channel, const wire::Ack& taken,
                                 const Error& why) {
  tell(wire::ChannelDown{static_cast<std::uint32_t>(channel.index()),
                         channel.generation(),
                         taken.frames,
                         taken.chunks,
                         {}},
       why.message());
}

// What the peer has taken in of a channel is known, and it takes in no more: the rest goes out on
// others, once.
void LinkCore::on_channel_down(const wire::ChannelDown& down) {
  Lock lock(mutex_);
  if (ending_ || down.channel >= slots_.size()) return;
  Slot& slot = slots_[down.channel];
  const Error why(Code::peer, fmt::format("the peer gave it up: {}", down.reason));
  wire::ChannelDown kept = down;
  kept.reason = {};
  if (slot.making && slot.making->generation() == down.generation) {
    slot.peer_down.push_back(kept);  // it may have been made this moment
    slot.making->cancel(why);
    return;
  }
  const auto open = std::ranges::find(slot.unresolved, down.generation, &Unresolved::generation);
  if (open != slot.unresolved.end()) {
    Unacknowledged left = std::move(open->left);
    slot.unresolved.erase(open);
    resolve(slot, left, {down.frames, down.chunks}, lock);
    return;
  }
  if (slot.channel == nullptr || slot.channel->generation() != down.generation) return;
  slot.peer_down.push_back(kept);
  slot.channel->ask_to_close(why);
  workers_[down.channel]->kick(*slot.channel);
}

void LinkCore::resolve(Slot& slot, Unacknowledged& left, const wire::Ack& taken, Lock& lock) {
  std::vector<OutChunk> chunks;
  std::vector<MessagePtr> messages;
  if (left.allows(taken))
    left.take(
        taken,
        [&](Unacknowledged::Frame& frame) {
          std::move(frame.messages.begin(), frame.messages.end(), std::back_inserter(messages));
        },
        [&](Unacknowledged::Chunk& sent) { chunks.push_back(std::move(sent.chunk)); });
  for (const OutChunk& chunk : chunks) {
    slot.bytes_sent += chunk.ref.bytes;
    if (chunk.repeated) slot.bytes_again += chunk.ref.bytes;
  }
  lock.unlock();
  operations_.acknowledged(chunks, messages);
  operations_.send_again(left.take_messages(), left.take_chunks());
  lock.lock();
}

// ---- the clock ----

void LinkCore::look_at_clock(TimePoint now) {
  operations_.look_at_deadlines(now);
  operations_.look_at_streams();
  Lock lock(mutex_);
  if (ended_ || ending_) return;
  look_whether_up(lock);
  if (ending_ || !up_) {
    if (!ending_ && now - started_at_ > Milliseconds(terms_.timeout_ms))
      end(lock, Error(Code::timeout, fmt::format("the link to {} did not come up within {} ms: {}",
                                                 terms_.peer, terms_.timeout_ms, what_failed())));
    return;
  }
  if (peer_closes_) {
    if (now > last_words_until_) end(lock, *peer_closes_);
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

// A link that is being ended loses its channels, too, some of them before the word that it ends
// comes: a warning waits for that.
void LinkCore::warn(TimePoint now) {
  for (Slot& slot : slots_) {
    if (slot.untold.empty() || now - slot.untold_since < kWarnAfter) continue;
    log_warning("{}", slot.untold);
    slot.untold.clear();
  }
}

void LinkCore::retry(TimePoint now) {
  if (!terms_.client) return;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (slot.channel || slot.making || now < slot.retry_at) continue;
    begin_making(slot, static_cast<int>(i), slot.generation + 1, nullptr);
  }
}

void LinkCore::on_control_lost(const Error& why) {
  Lock lock(mutex_);
  if (ending_ || control_lost_) return;
  control_lost_ = why;
  if (peer_closes_) return;
  if (up_ && live() > 0) {
    log_info("{}: {}; the channels go on", terms_.peer, why.message());
    return;
  }
  end(lock, Error(Code::peer, fmt::format("{} is gone: {}", terms_.peer, why.message())));
}

// ---- the end ----

void LinkCore::close(const Error& why, std::string_view tell_peer) {
  Lock lock(mutex_);
  if (ending_) return;
  if (!tell_peer.empty()) control_->send(wire::Close{tell_peer});
  end(lock, why);
}

void LinkCore::end(Lock& lock, const Error& why) {
  if (ending_) return;
  ending_ = why;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].making) slots_[i].making->cancel(why);
    if (!slots_[i].channel) continue;
    slots_[i].channel->ask_to_close(why);
    workers_[i]->kick(*slots_[i].channel);
  }
  changed_.notify_all();
  finish_end(lock);
}

// Only when no channel is left: until then somebody may write to a user's memory.
void LinkCore::finish_end(Lock& lock) {
  if (live() > 0 || std::exchange(finishing_, true)) return;
  const Error why = *ending_;
  // What went down before and nobody resolves any more: it keeps regions in use.
  std::vector<Unresolved> left;
  for (Slot& slot : slots_)
    std::move(slot.unresolved.begin(), slot.unresolved.end(), std::back_inserter(left));
  for (Slot& slot : slots_) slot.unresolved.clear();
  lock.unlock();
  left.clear();
  operations_.end(why);
  lock.lock();
  ended_ = true;
  changed_.notify_all();
}

bool LinkCore::wait_ended(const Deadline& deadline) {
  Lock lock(mutex_);
  return changed_.wait_for(lock, deadline.remaining(), [this] { return ended_; });
}

LinkReport LinkCore::report() const {
  const Lock lock(mutex_);
  LinkReport report;
  report.peer = terms_.peer;
  report.up = up_ && !ending_;
  if (ending_) report.reason = ending_->message();
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
      channel.rate_bytes_per_s = slot.channel->rate();
    }
    report.channels.push_back(std::move(channel));
  }
  return report;
}

}  // namespace hawser::engine
