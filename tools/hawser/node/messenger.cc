#include "node/messenger.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <span>

namespace hawser::node {
namespace {

constexpr int kSliceMs = 100;  // between looks at what else may end a wait

std::uint64_t moved_on(const Link& link) {
  std::uint64_t bytes = 0;
  for (const ChannelReport& channel : link.report().channels)
    bytes += channel.bytes_sent + channel.bytes_received;
  return bytes;
}

}  // namespace

Status LinkWait::wait(const Transfer& transfer, std::string_view what) const {
  std::optional<std::uint64_t> moved;
  Deadline deadline = Deadline::after(timeout);
  while (!transfer.wait(kSliceMs)) {
    if (const auto off = board->called_off()) return *off;
    if (heeds_stop && board->stopping()) return Error(Code::cancelled, "interrupted");
    if (const std::uint64_t now = moved_on(link); now != moved) {
      moved = now;
      deadline = Deadline::after(timeout);
    }
    if (deadline.expired())
      return Error(Code::timeout, fmt::format("{}: nothing has moved on the link for {} ms", what,
                                              timeout.count()));
  }
  const Status ended = transfer.result();
  return ended.ok() ? ended : ended.error().within(what);
}

Result<std::unique_ptr<Messenger>> Messenger::open(Engine& engine, LinkWait link_wait) {
  HAWSER_ASSIGN(Buffer buffer, Buffer::host(kPageBytes));
  HAWSER_ASSIGN(LinkMemory memory, LinkMemory::make(engine, std::move(buffer), Rights::none));
  return std::unique_ptr<Messenger>(new Messenger(std::move(memory), std::move(link_wait)));
}

Status Messenger::settle(std::optional<Transfer>& said) {
  if (said) HAWSER_TRY(link_wait_.wait(*said, "a message to the other side"));
  said.reset();
  return {};
}

Status Messenger::say(Tag tag, const Message& message) {
  const std::size_t slot = next_++ % kOutSlots;
  HAWSER_TRY(settle(said_[slot]));
  const std::size_t bytes = encoded_bytes(message);
  encode(message, std::span(memory_.at(slot * kSettingBytes), bytes));
  said_[slot] = link_wait_.link.send(tag, memory_.region().span(slot * kSettingBytes, bytes));
  return {};
}

Status Messenger::flush() {
  for (auto& said : said_) HAWSER_TRY(settle(said));
  return {};
}

bool Messenger::all_heard() const {
  return std::all_of(said_.begin(), said_.end(),
                     [](const auto& said) { return !said || said->done(); });
}

Result<Message> Messenger::hear(Tag tag, std::size_t bytes, std::string_view what) {
  const Transfer transfer = begin_hearing(tag, bytes);
  HAWSER_TRY(link_wait_.wait(transfer, what));
  return heard(transfer, what);
}

Transfer Messenger::begin_hearing(Tag tag, std::size_t bytes) {
  return link_wait_.link.recv(tag, memory_.region().span(kInOffset, bytes));
}

Result<Message> Messenger::heard(const Transfer& transfer, std::string_view what) const {
  const Status ended = transfer.result();
  if (!ended.ok()) return ended.error().within(what);
  return decode(std::span<const std::byte>(memory_.at(kInOffset), transfer.bytes()));
}

Error Messenger::unexpected(const Message& heard, std::string_view what) {
  if (const Refuse* const refuse = std::get_if<Refuse>(&heard))
    return Error(Code::peer, "the other side refuses: " + refuse->reason);
  return Error(Code::protocol, fmt::format("{}: came {}", what, message_name(heard)));
}

Status Messenger::part() {
  const Link& link = link_wait_.link;
  const Transfer there = link.send(kTagFarewell, memory_.region().span(0, 0));
  const Transfer here = link.recv(kTagFarewell, memory_.region().span(0, 0));
  HAWSER_TRY(link_wait_.wait(here, "the farewell of the other side"));
  return link_wait_.wait(there, "the farewell");
}

}  // namespace hawser::node
