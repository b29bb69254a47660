#include "validation/peer_board.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

namespace hawser {
namespace {

std::string stage_text(wire::Stage stage) {
  return stage == wire::Stage::created ? "creation" : "transfer";
}

}  // namespace

bool PeerBoard::known(std::uint32_t pass, std::uint32_t channel) const {
  return pass < kMaxPasses && channel < channels_;
}

void PeerBoard::on_message(const wire::Message& message) {
  const std::lock_guard lock(mutex_);
  if (const auto* offer = std::get_if<wire::HandleOffer>(&message)) {
    keep(*offer);
  } else if (const auto* status = std::get_if<wire::ChannelStatus>(&message)) {
    keep(*status);
  } else if (const auto* done = std::get_if<wire::PassDone>(&message)) {
    keep(*done);
  } else if (const auto* barrier = std::get_if<wire::Barrier>(&message)) {
    barrier_ = std::max(barrier_, barrier->id);
  } else {
    lose(Error(Code::protocol,
               fmt::format("a {} has no place in a validation", wire::message_name(message))));
  }
  changed_.notify_all();
}

void PeerBoard::keep(const wire::HandleOffer& offer) {
  if (!known(offer.pass, offer.channel) || offer.handle.size() != kHandleBytes)
    return lose(Error(Code::protocol,
                      fmt::format("the other side offered a handle for channel {} of pass {}",
                                  offer.channel, offer.pass)));
  Handle handle;
  std::memcpy(handle.data(), offer.handle.data(), handle.size());
  handles_[{offer.pass, offer.channel}] = handle;
}

void PeerBoard::keep(const wire::ChannelStatus& status) {
  if (!known(status.pass, status.channel))
    return lose(Error(Code::protocol, fmt::format("the other side told of channel {} of pass {}",
                                                  status.channel, status.pass)));
  wire::ChannelStatus& kept =
      statuses_.try_emplace({status.pass, status.stage, status.channel}, status).first->second;
  if (kept.ok) kept = status;
}

void PeerBoard::keep(const wire::PassDone& done) {
  if (!known(done.pass, 0))
    return lose(
        Error(Code::protocol, fmt::format("the other side is done with pass {}", done.pass)));
  done_[done.pass] = done;
}

void PeerBoard::on_lost(const Error& error) {
  const std::lock_guard lock(mutex_);
  lose(error);
  changed_.notify_all();
}

void PeerBoard::lose(const Error& error) {
  if (!lost_) lost_ = error;
}

template <class Ready>
Status PeerBoard::wait(const Deadline& deadline, std::string_view what, Ready&& ready) {
  std::unique_lock lock(mutex_);
  while (!ready()) {
    if (lost_) return *lost_;
    if (deadline.expired())
      return Error(Code::timeout, fmt::format("the other side did not send {} within {} ms", what,
                                              deadline.timeout().count()));
    changed_.wait_for(lock, std::chrono::milliseconds(deadline.poll_timeout_ms(1000)));
  }
  return {};
}

Result<Handle> PeerBoard::wait_handle(std::uint32_t pass, std::uint32_t channel,
                                      const Deadline& deadline) {
  std::optional<Handle> handle;
  const auto ready = [&] {
    if (const auto found = handles_.find({pass, channel}); found != handles_.end())
      handle = found->second;
    const auto created = statuses_.find({pass, wire::Stage::created, channel});
    return handle.has_value() || (created != statuses_.end() && !created->second.ok);
  };
  HAWSER_TRY(wait(deadline, fmt::format("the handle of channel {}", channel), ready));
  if (!handle) return *broken(pass, channel);
  return *handle;
}

Result<wire::ChannelStatus> PeerBoard::wait_status(std::uint32_t pass, wire::Stage stage,
                                                   std::uint32_t channel,
                                                   const Deadline& deadline) {
  wire::ChannelStatus status;
  const auto ready = [&] {
    const auto found = statuses_.find({pass, stage, channel});
    if (found == statuses_.end()) return false;
    status = found->second;
    return true;
  };
  HAWSER_TRY(wait(deadline,
                  fmt::format("the result of channel {}'s {}", channel, stage_text(stage)), ready));
  return status;
}

Status PeerBoard::wait_barrier(std::uint32_t id, const Deadline& deadline) {
  return wait(deadline, fmt::format("barrier {}", id), [&] { return barrier_ >= id; });
}

std::optional<Error> PeerBoard::broken(std::uint32_t pass, std::uint32_t channel) const {
  const std::lock_guard lock(mutex_);
  if (const auto there = failed(pass, channel))
    return Error(Code::peer, fmt::format("the other side's channel failed: {}", there->reason));
  return lost_;
}

std::optional<wire::ChannelStatus> PeerBoard::failure(std::uint32_t pass,
                                                      std::uint32_t channel) const {
  const std::lock_guard lock(mutex_);
  return failed(pass, channel);
}

std::optional<wire::ChannelStatus> PeerBoard::failed(std::uint32_t pass,
                                                     std::uint32_t channel) const {
  for (const wire::Stage stage : {wire::Stage::created, wire::Stage::transferred}) {
    const auto found = statuses_.find({pass, stage, channel});
    if (found != statuses_.end() && !found->second.ok) return found->second;
  }
  return std::nullopt;
}

std::optional<wire::PassDone> PeerBoard::pass_done(std::uint32_t pass) const {
  const std::lock_guard lock(mutex_);
  const auto found = done_.find(pass);
  return found == done_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Error> PeerBoard::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void PeerBoard::forget(std::uint32_t pass, wire::Stage stage) {
  const std::lock_guard lock(mutex_);
  std::erase_if(statuses_, [&](const auto& entry) {
    return std::get<0>(entry.first) == pass && std::get<1>(entry.first) == stage && entry.second.ok;
  });
}

}  // namespace hawser
