#include "engine/channels/link_channel.h"

#include <fmt/core.h>

#include <algorithm>
#include <new>
#include <utility>

#include "engine/link_core.h"
#include "machine/numa.h"

namespace hawser::engine {

Result<std::shared_ptr<LinkChannel>> LinkChannel::create(std::shared_ptr<LinkCore> link,
                                                         ChannelEnds ends) {
  const PreferNumaNode near(ends.numa_node);  // for staging memory
  std::shared_ptr<LinkChannel> channel(new LinkChannel(std::move(link), ends));
  LinkCore& core = *channel->link_;
  channel->receive_fd_ = ends.receive->wait_fd();
  channel->send_fd_ = ends.send->wait_fd();
  HAWSER_ASSIGN(channel->tx_,
                TxLane::create(std::move(ends.send), ends.capabilities, core.chunk_bytes(),
                               ends.gpu, core.page_file(ends.index), *channel));
  HAWSER_ASSIGN(channel->rx_,
                RxLane::create(std::move(ends.receive), ends.capabilities, core.chunk_bytes(),
                               ends.gpu, core.unpack(), core.page_file(ends.index), *channel));
  channel->tx_pace_ = &channel->tx_->pace();
  return channel;
}

LinkChannel::LinkChannel(std::shared_ptr<LinkCore> link, const ChannelEnds& ends)
    : link_(std::move(link)),
      index_(ends.index),
      generation_(ends.generation),
      heard_at_(Clock::system().now()) {}

bool LinkChannel::progress(TimePoint now) {
  if (closed_) return false;
  try {
    return out_of_memory_ ? drop() : move(now);
  } catch (const std::bad_alloc&) {
    out_of_memory_ = true;
    link_->ran_out_of_memory();
    return false;
  }
}

// All of it may be done again. Nothing is said: the control connection tells that the link ends.
bool LinkChannel::drop() {
  if (const auto hook = std::exchange(before_close_, nullptr)) hook();
  rx_->close();
  static_cast<void>(tx_->close());
  link_->channel_dropped(*this);
  closed_ = true;
  return true;
}

bool LinkChannel::move(TimePoint now) {
  const bool asked = close_asked_.load(std::memory_order_acquire);
  Result<bool> moved = asked ? leave(now) : step(now);
  if (moved.ok() && !asked) {
    if (const Status clock = look_at_clock(now); !clock.ok()) moved = clock.error();
    if (rx_->peer_leaves())
      ask_to_close(Error(Code::peer, "the peer closed the channel"), How::in_order);
  }
  if (moved.ok()) return *moved;
  close(moved.error());
  return true;
}

// An error: it is done.
Result<bool> LinkChannel::leave(TimePoint now) {
  if (close_how_ == How::at_once) return *close_reason_;
  if (!leaving_until_) {
    leaving_until_ = now + kLeaving;
    tx_->leave();
  }
  const Result<bool> moved = step(now);
  if (!moved.ok() || now > *leaving_until_) return *close_reason_;
  if (!left_ && tx_->left() && rx_->peer_has_left()) {
    left_ = true;
    link_->channel_left(*this);
  }
  return left_ && peer_left_.load(std::memory_order_relaxed) ? Result<bool>(*close_reason_) : moved;
}

Result<bool> LinkChannel::step(TimePoint now) {
  link_->operations().look_at_streams();
  HAWSER_ASSIGN(const bool received, receive(now));
  if (received) heard_at_.store(now, std::memory_order_relaxed);
  tx_->set_ack(rx_->taken(), rx_->take_due());
  if (sign_wanted_.load(std::memory_order_relaxed) && sign_wanted_.exchange(false)) tx_->ping();
  const Result<bool> sent = tx_->progress(now);
  if (!sent.ok()) {
    static_cast<void>(receive(now));  // what a peer that closes has said before
    return sent;
  }
  return received || *sent;
}

// An acknowledgement counts also where the end came with it.
Result<bool> LinkChannel::receive(TimePoint now) {
  Result<bool> received = rx_->progress();
  if (const auto ack = rx_->take_peer_ack()) HAWSER_TRY(tx_->on_ack(*ack, now));
  return received;
}

// A channel is given up only where the peer is heard elsewhere: one that stands still altogether
// may be a peer that has no time. Its control connection says less than another channel does: it is
// another thread's.
Status LinkChannel::look_at_clock(TimePoint now) {
  const auto stalled = tx_->pace().stalled_for(now);
  std::chrono::nanoseconds bound(link_->stall());
  if (doubted_ && !carries() && !link_->carried_elsewhere(*this)) bound *= kPatience;
  suspicious_.store(stalled > bound / 2, std::memory_order_relaxed);
  if (!suspicious()) {
    against_channels_.broken();
    against_control_.broken();
    return {};
  }
  link_->ask_for_a_sign(now);
  const TimePoint since = now - stalled;
  if (!against_channels_.conclusive(now, since, link_->heard_elsewhere(*this), bound) &&
      !against_control_.conclusive(now, since, link_->heard_on_control(), 2 * bound))
    return {};
  return Error(Code::timeout,
               fmt::format("nothing was acknowledged for {} ms, while the peer is heard elsewhere",
                           std::chrono::duration_cast<Milliseconds>(stalled).count()));
}

LinkChannel::Waits LinkChannel::waits() const {
  Waits waits{receive_fd_, send_fd_, tx_->sending()};
  waits.copying = rx_->copying() || tx_->copying();
  waits.polling =
      rx_->polling() || receive_fd_ < 0 || send_fd_ < 0 || link_->operations().waits_for_streams();
  waits.timing = leaving_until_ ||
                 tx_->pace().stalled_for(TimePoint::max()) > std::chrono::nanoseconds::zero() ||
                 link_->operations().unsent_bytes() > 0;
  return waits;
}

bool LinkChannel::forget(const LocalRegion& region) {
  if (closed_) return true;
  rx_->forget(region);
  return tx_->forget(region);
}

void LinkChannel::let_go(const LettingGo& what) {
  if (closed_) return;
  const bool receives_none = rx_->let_go(what);
  if (tx_->let_go(what) && receives_none) return;
  close(Error(Code::timeout, "a transfer had to end that was under way, and did not get on"));
}

void LinkChannel::ask_to_close(const Error& why, How how) {
  std::optional<Error> reason(why);  // before it is claimed: there may be no memory for it
  if (!close_claimed_.test_and_set()) {
    close_reason_ = std::move(reason);
    close_how_ = how;
    close_asked_.store(true, std::memory_order_release);
  }
  kicked.store(true, std::memory_order_release);
}

void LinkChannel::close(const Error& why) {
  say_last_word();
  if (const auto hook = std::exchange(before_close_, nullptr)) hook();
  rx_->close();
  Unacknowledged left = tx_->close();
  link_->channel_closed(*this, why, rx_->taken(), std::move(left));
  closed_ = true;
}

// The peer should know what has been taken in, if it can be told: or its transfers that have
// arrived would fail.
void LinkChannel::say_last_word() {
  if (leaving_until_) return;
  tx_->set_ack(rx_->taken(), true);
  const Deadline deadline = Deadline::after(kLastWord);
  Backoff backoff;
  do {
    if (!tx_->progress(Clock::system().now()).ok()) return;
    backoff.idle();
  } while (tx_->sending() && !deadline.expired());
}

void LinkChannel::abandon() {
  closed_ = true;
  rx_->close();
  static_cast<void>(tx_->close());
}

// ---- what goes out ----

void LinkChannel::take_messages(wire::FrameBuilder& frame, std::vector<MessagePtr>& sent) {
  if (!suspicious()) link_->operations().take_messages(frame, sent);
}

void LinkChannel::take_chunks(const Outbox::Limits& limits, std::vector<OutChunk>& taken) {
  if (suspicious() || !link_->may_take(*this)) return;
  Outbox::Limits shared = limits;
  shared.channels = link_->channels();
  link_->operations().take_chunks(shared, taken);
}

void LinkChannel::chunk_failed(const OutChunk& chunk, Error why) {
  link_->operations().chunk_failed(chunk, why);
}

void LinkChannel::memory_lost(const std::shared_ptr<Outgoing>& op, const Error& why) {
  link_->operations().memory_lost(op, why);
}

void LinkChannel::acknowledged(std::span<const OutChunk> chunks,
                               std::span<const MessagePtr> messages) {
  std::uint64_t bytes = 0;
  std::uint64_t again = 0;
  for (const OutChunk& chunk : chunks) {
    bytes += chunk.ref.bytes;
    if (chunk.repeated) again += chunk.ref.bytes;
  }
  bytes_sent_.fetch_add(bytes, std::memory_order_relaxed);
  bytes_again_.fetch_add(again, std::memory_order_relaxed);
  const auto large = [](const auto& one) { return Unacknowledged::large(one); };
  if (!carries() && (std::ranges::any_of(chunks, large) || std::ranges::any_of(messages, large))) {
    carries_.store(true, std::memory_order_relaxed);
    if (doubted_) link_->channel_carries(*this);
  }
  link_->operations().acknowledged(chunks, messages);
}

// ---- what comes in ----

Status LinkChannel::find_target(const wire::WriteChunk& chunk, Target& target) {
  return link_->find_target(chunk, target);
}

Status LinkChannel::find_target(const wire::ReplyChunk& chunk, Target& target) {
  return link_->operations().find_target(chunk, target);
}

void LinkChannel::landed(const Target& target) {
  bytes_received_.fetch_add(target.bytes, std::memory_order_relaxed);
  link_->operations().landed(target);
}

void LinkChannel::target_failed(Target& target, Error why) {
  link_->operations().target_failed(target, why);
}

Status LinkChannel::take_record(std::uint64_t order, const wire::Record& record) {
  return link_->take_record(order, record);
}

}  // namespace hawser::engine
