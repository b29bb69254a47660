#include "socket_choices/plain_mover.h"

#include <sys/socket.h>

#include <cstdint>

#include "socket_choices/socket_options.h"

namespace hawser::bench {
namespace {

constexpr unsigned kPollsPerLook = 4096;  // at the clock

class PollingMover final : public PlainMover {
 public:
  PollingMover(int socket, const Variant& variant) : PlainMover(socket, variant, MSG_DONTWAIT) {}

 private:
  Status idle(const char* doing) override {
    return ++polls_ % kPollsPerLook == 0 ? in_time(doing) : Status();
  }

  unsigned polls_ = 0;
};

}  // namespace

PlainMover::PlainMover(int socket, const Variant& variant, int flags)
    : Mover(socket),
      piece_bytes_(variant.piece_bytes == 0 ? SIZE_MAX : variant.piece_bytes),
      flags_(flags),
      quickack_each_(variant.socket.quickack == Quickack::after_each_receive) {}

Status PlainMover::send(std::span<const std::byte> message, std::size_t) {
  constexpr const char* kDoing = "sending";
  while (!message.empty()) {
    const ssize_t result =
        ::send(socket(), message.data(), piece(message.size()), flags_ | MSG_NOSIGNAL);
    HAWSER_ASSIGN(const std::size_t bytes, moved(result, kDoing));
    message = message.subspan(bytes);
    if (bytes == 0) HAWSER_TRY(idle(kDoing));
  }
  return {};
}

Status PlainMover::receive(std::span<std::byte> message) {
  constexpr const char* kDoing = "receiving";
  while (!message.empty()) {
    const ssize_t result = ::recv(socket(), message.data(), piece(message.size()), flags_);
    HAWSER_ASSIGN(const std::size_t bytes, moved(result, kDoing));
    message = message.subspan(bytes);
    if (bytes == 0)
      HAWSER_TRY(idle(kDoing));
    else if (quickack_each_)
      HAWSER_TRY(ask_for_quickack(socket()));
  }
  return {};
}

Status BlockingMover::prepare(int socket) {
  return set_slice(socket, kSliceMs);
}

Result<std::unique_ptr<Mover>> make_blocking_mover(int socket, const Variant& variant) {
  HAWSER_TRY(BlockingMover::prepare(socket));
  return std::make_unique<BlockingMover>(socket, variant);
}

Result<std::unique_ptr<Mover>> make_polling_mover(int socket, const Variant& variant) {
  return std::make_unique<PollingMover>(socket, variant);
}

}  // namespace hawser::bench
