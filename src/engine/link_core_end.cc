// A link's end, and what it has done until then.
#include <fmt/core.h>

#include <iterator>
#include <numeric>
#include <utility>

#include "base/log.h"
#include "engine/link_core.h"

namespace hawser::engine {

void LinkCore::close(const Error& why, std::string_view tell_peer) {
  Lock lock(mutex_);
  if (stage_.ending()) return;
  if (!tell_peer.empty()) control_->send(wire::Close{tell_peer});
  end(lock, why, LinkChannel::How::in_order);
}

void LinkCore::end(Lock& lock, const Error& cause, LinkChannel::How how) {
  if (!stage_.begin_to_end(cause)) return;
  ask_all_to_close(how);
  changed_.notify_all();
  finish_end(lock);
}

void LinkCore::ask_all_to_close(LinkChannel::How how) {
  const Error& why = stage_.why();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].making) slots_[i].making->cancel(why);
    if (!slots_[i].channel) continue;
    slots_[i].channel->ask_to_close(why, how);
    workers_[i]->kick(*slots_[i].channel);
  }
}

// Whether it ends. Once it ran out of memory any step of that may have been missed, and is taken
// again.
bool LinkCore::look_at_end(Lock& lock) {
  if (!out_of_memory_.load(std::memory_order_relaxed)) return stage_.ending();
  if (!stage_.ending()) {
    const Error why(Code::system, fmt::format("{}: there was no memory for it", terms_.peer));
    log_error("{}", why.message());
    control_->send(wire::Close{"there was no memory for it"});
    end(lock, why);
  } else if (!stage_.ended()) {
    ask_all_to_close(LinkChannel::How::at_once);
    finish_end(lock);
  }
  return true;
}

// Only when no channel is left: until then somebody may write to a user's memory.
void LinkCore::finish_end(Lock& lock) {
  if (live() > 0 || !stage_.ending()) return;
  const Error why = stage_.why();
  // What went down before and nobody resolves any more: it keeps regions in use.
  std::vector<Unresolved> left;
  left.reserve(std::accumulate(
      slots_.begin(), slots_.end(), std::size_t{0},
      [](std::size_t sum, const Slot& slot) { return sum + slot.unresolved.size(); }));
  if (!stage_.begin_to_finish()) return;
  for (Slot& slot : slots_)
    std::move(slot.unresolved.begin(), slot.unresolved.end(), std::back_inserter(left));
  for (Slot& slot : slots_) slot.unresolved.clear();
  lock.unlock();
  left.clear();
  try {
    operations_.end(why);
  } catch (...) {
    lock.lock();
    stage_.put_off_finish();
    throw;
  }
  lock.lock();
  stage_.end();
  changed_.notify_all();
}

bool LinkCore::wait_ended(const Deadline& deadline) {
  Lock lock(mutex_);
  return changed_.wait_for(lock, deadline.remaining(), [this] { return stage_.ended(); });
}

LinkReport LinkCore::report() const {
  LinkReport report;
  report.waiting_for_room = operations_.waiting_for_room();
  const Lock lock(mutex_);
  report.peer = terms_.peer;
  report.up = stage_.up();
  if (stage_.ending()) report.reason = stage_.why().message();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    ChannelReport channel;
    channel.index = static_cast<int>(i);
    channel.device = end_of(slot.way).name;
    channel.peer_device = peer_end_of(slot.way);
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
