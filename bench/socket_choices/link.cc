#include "socket_choices/link.h"

#include <array>

#include "perf/ring.h"
#include "perf/time.h"
#include "socket_choices/socket_options.h"

namespace hawser::bench {
namespace {

constexpr std::uint64_t kRingBytes = 2 << 20;
constexpr std::size_t kMostSlots = 512;
constexpr std::size_t kTokenBytes = 8;
using Token = std::array<std::byte, kTokenBytes>;

void append(std::string& text, const std::string& more) {
  if (!text.empty() && !more.empty()) text += "; ";
  text += more;
}

}  // namespace

Result<std::unique_ptr<Link>> Link::make(UniqueFd socket, const Variant& variant,
                                         std::size_t message_bytes, Memory& memory) {
  std::unique_ptr<Link> link(new Link(std::move(socket), variant, message_bytes));
  HAWSER_ASSIGN(link->block_, memory.at_least(link->slots_ * message_bytes, variant.pages));
  // A slot more: the token lies in none of the others.
  HAWSER_ASSIGN(link->mover_, make_mover(link->socket_.get(), variant, link->slots_ + 1));
  return link;
}

Link::Link(UniqueFd socket, const Variant& variant, std::size_t message_bytes)
    : socket_(std::move(socket)),
      pages_(variant.pages),
      buffers_(effective(socket_.get(), variant.socket)),
      message_bytes_(message_bytes),
      slots_(ring_slots(message_bytes, kRingBytes, kMostSlots)) {}

std::span<std::byte> Link::slot(std::uint64_t message) const {
  return {block_->data() + message % slots_ * message_bytes_, message_bytes_};
}

Status Link::send_stream(std::uint64_t messages) {
  for (std::uint64_t i = 0; i < messages; ++i) HAWSER_TRY(mover_->send(slot(i), i % slots_));
  Token token;
  HAWSER_TRY(mover_->receive(token));
  return mover_->settle();
}

Status Link::receive_stream(std::uint64_t messages) {
  for (std::uint64_t i = 0; i < messages; ++i) HAWSER_TRY(mover_->receive(slot(i)));
  const Token token{};
  HAWSER_TRY(mover_->send(token, slots_));
  return mover_->settle();
}

Status Link::ping(std::uint64_t round_trips, LatencyHistogram& round_trip_ns) {
  std::uint64_t before = now_ns();
  for (std::uint64_t i = 0; i < round_trips; ++i) {
    HAWSER_TRY(mover_->send(slot(0), 0));
    HAWSER_TRY(mover_->receive(slot(0)));
    const std::uint64_t now = now_ns();
    round_trip_ns.record(now - before);
    before = now;
  }
  return {};
}

Status Link::pong(std::uint64_t round_trips) {
  for (std::uint64_t i = 0; i < round_trips; ++i) {
    HAWSER_TRY(mover_->receive(slot(0)));
    HAWSER_TRY(mover_->send(slot(0), 0));
  }
  return {};
}

std::string Link::note() const {
  std::string text = buffers_;
  append(text, pages_note(*block_, pages_));
  append(text, mover_->note());
  return text;
}

}  // namespace hawser::bench
