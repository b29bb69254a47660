// io_uring's send and recv, one operation in flight: a stream's bytes have an order.
#include <liburing.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "socket_choices/mover.h"

namespace hawser::bench {
namespace {

constexpr unsigned kEntries = 8;
constexpr std::size_t kMostBytes = std::size_t{1} << 30;  // per operation: a result is an int

// Owns a ring. Of the thread that made it.
class Ring {
 public:
  // As modern kernels like it best, else as any does.
  static int open(io_uring& ring) {
    const int result = ::io_uring_queue_init(
        kEntries, &ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
    return result == -EINVAL ? ::io_uring_queue_init(kEntries, &ring, 0) : result;
  }

  Ring() : error_(open(ring_)) {}
  ~Ring() {
    if (error_ == 0) ::io_uring_queue_exit(&ring_);
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  int error() const { return -error_; }
  io_uring* get() { return &ring_; }

 private:
  io_uring ring_{};
  int error_;
};

class UringMover final : public Mover {
 public:
  UringMover(int socket, const Variant& variant)
      : Mover(socket), piece_bytes_(variant.piece_bytes == 0 ? kMostBytes : variant.piece_bytes) {}

  int error() const { return ring_.error(); }

  Status send(std::span<const std::byte> message, std::size_t) override {
    return move_all(message.size(), "sending by io_uring",
                    [&](io_uring_sqe* entry, std::size_t at) {
                      ::io_uring_prep_send(entry, socket(), message.data() + at,
                                           piece(message.size() - at), MSG_NOSIGNAL | MSG_WAITALL);
                    });
  }

  Status receive(std::span<std::byte> message) override {
    return move_all(message.size(), "receiving by io_uring",
                    [&](io_uring_sqe* entry, std::size_t at) {
                      ::io_uring_prep_recv(entry, socket(), message.data() + at,
                                           piece(message.size() - at), MSG_WAITALL);
                    });
  }

 private:
  std::size_t piece(std::size_t left) const { return std::min(left, piece_bytes_); }

  template <class Prepare>
  Status move_all(std::size_t bytes, const char* doing, Prepare&& prepare) {
    for (std::size_t at = 0; at < bytes;) {
      io_uring_sqe* const entry = ::io_uring_get_sqe(ring_.get());
      if (entry == nullptr) return Error(Code::internal, "io_uring's queue is full");
      prepare(entry, at);
      HAWSER_ASSIGN(const int result, submit_and_wait(doing));
      if (result < 0) errno = -result;
      HAWSER_ASSIGN(const std::size_t step, moved(result < 0 ? -1 : result, doing));
      at += step;
      if (step == 0) HAWSER_TRY(in_time(doing));
    }
    return {};
  }

  // The operation's result. After a timeout it is still in flight: closing the ring cancels it.
  Result<int> submit_and_wait(const char* doing) {
    __kernel_timespec slice{0, kSliceMs * 1'000'000LL};
    io_uring_cqe* completion = nullptr;
    int result = ::io_uring_submit_and_wait_timeout(ring_.get(), &completion, 1, &slice, nullptr);
    while (completion == nullptr) {
      if (result < 0 && result != -ETIME && result != -EINTR)
        return system_error(-result, "waiting for io_uring");
      HAWSER_TRY(in_time(doing));
      result = ::io_uring_wait_cqe_timeout(ring_.get(), &completion, &slice);
    }
    const int outcome = completion->res;
    ::io_uring_cqe_seen(ring_.get(), completion);
    return outcome;
  }

  std::size_t piece_bytes_;
  Ring ring_;
};

}  // namespace

bool uring_is_built() {
  return true;
}

Result<std::unique_ptr<Mover>> make_uring_mover(int socket, const Variant& variant) {
  auto mover = std::make_unique<UringMover>(socket, variant);
  if (mover->error() != 0)
    return Error(Code::unavailable, system_error(mover->error(), "making an io_uring").message());
  return mover;
}

}  // namespace hawser::bench
