// MSG_ZEROCOPY: the kernel reads from the buffer until it says, through the socket's error queue,
// that it is done. Receiving is as with blocking calls.
#include <netinet/in.h>
// <netinet/in.h> first: the kernel's header knows it then.
#include <linux/errqueue.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "socket_choices/plain_mover.h"
#include "socket_choices/zerocopy_ledger.h"

namespace hawser::bench {
namespace {

class ZerocopyMover final : public BlockingMover {
 public:
  ZerocopyMover(int socket, const Variant& variant, std::size_t slots)
      : BlockingMover(socket, variant), ledger_(slots) {}

  Status send(std::span<const std::byte> message, std::size_t slot) override {
    while (!ledger_.free(slot)) HAWSER_TRY(wait_for_completions());
    while (!message.empty()) {
      HAWSER_ASSIGN(const std::size_t bytes, send_piece(message, slot));
      message = message.subspan(bytes);
    }
    return reap_all();
  }

  Status settle() override {
    while (ledger_.outstanding() > 0) HAWSER_TRY(wait_for_completions());
    return {};
  }

  std::string note() const override { return ledger_.summary(); }

 private:
  Result<std::size_t> send_piece(std::span<const std::byte> message, std::size_t slot) {
    constexpr const char* kDoing = "sending with MSG_ZEROCOPY";
    while (ledger_.full()) HAWSER_TRY(wait_for_completions());
    const ssize_t result =
        ::send(socket(), message.data(), piece(message.size()), MSG_ZEROCOPY | MSG_NOSIGNAL);
    if (result < 0 && errno == ENOBUFS) return wait_for_room();
    HAWSER_ASSIGN(const std::size_t bytes, moved(result, kDoing));
    if (bytes > 0)
      ledger_.sent(slot);
    else
      HAWSER_TRY(in_time(kDoing));
    return bytes;
  }

  // Notifications take memory of net.core.optmem_max; reading them gives it back.
  Result<std::size_t> wait_for_room() {
    if (ledger_.outstanding() == 0)
      return Error(Code::system,
                   "MSG_ZEROCOPY has no memory for a single send: raise net.core.optmem_max");
    HAWSER_TRY(wait_for_completions());
    return std::size_t{0};
  }

  // Until something has come, or a slice of time has passed.
  Status wait_for_completions() {
    HAWSER_ASSIGN(const bool found, reap_one());
    if (found) return {};
    pollfd waiting{socket(), 0, 0};  // an error queue that is not empty is POLLERR, unasked
    if (::poll(&waiting, 1, deadline().poll_timeout_ms(kSliceMs)) < 0 && errno != EINTR)
      return system_error(errno, "waiting for the completion of a send");
    return in_time("the completion of a send with MSG_ZEROCOPY");
  }

  // Without waiting; the queue is no longer than what is outstanding.
  Status reap_all() {
    for (std::size_t i = 0; i < ZerocopyLedger::kMaxOutstanding && ledger_.outstanding() > 0; ++i) {
      HAWSER_ASSIGN(const bool found, reap_one());
      if (!found) break;
    }
    return {};
  }

  Result<bool> reap_one() {
    alignas(cmsghdr) char control[256];
    msghdr message{};
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (::recvmsg(socket(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
      if (errno == EAGAIN || errno == EINTR) return false;
      return Error(Code::peer, system_error(errno, "reading the error queue").message());
    }
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part))
      HAWSER_TRY(account(*part));
    return true;
  }

  Status account(const cmsghdr& part) {
    if (part.cmsg_level != SOL_IP || part.cmsg_type != IP_RECVERR) return {};
    sock_extended_err said;
    std::memcpy(&said, CMSG_DATA(&part), sizeof said);
    if (said.ee_origin != SO_EE_ORIGIN_ZEROCOPY)
      return Error(Code::peer, system_error(static_cast<int>(said.ee_errno), "sending").message());
    return ledger_.completed(said.ee_info, said.ee_data,
                             (said.ee_code & SO_EE_CODE_ZEROCOPY_COPIED) != 0);
  }

  ZerocopyLedger ledger_;
};

}  // namespace

Result<std::unique_ptr<Mover>> make_zerocopy_mover(int socket, const Variant& variant,
                                                   std::size_t slots) {
  const int on = 1;
  if (::setsockopt(socket, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) != 0)
    return Error(Code::unavailable, system_error(errno, "setting SO_ZEROCOPY").message());
  HAWSER_TRY(BlockingMover::prepare(socket));
  return std::make_unique<ZerocopyMover>(socket, variant, slots);
}

}  // namespace hawser::bench
