// Two ends of the built-in transport in one process, joined over loopback.
#pragma once

#include <cstddef>
#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "memory/buffer.h"
#include "net/net.h"

namespace hawser::bench {

// One direction: a sending and a receiving comm, each with a buffer that is registered and was
// written. Not thread-safe: one thread drives both ends.
class TcpPair {
 public:
  static constexpr Milliseconds kPatience{10'000};  // bound on every wait

  static Result<std::unique_ptr<TcpPair>> make(Net& net, std::size_t buffer_bytes);
  ~TcpPair();
  TcpPair(const TcpPair&) = delete;
  TcpPair& operator=(const TcpPair&) = delete;

  // nullptr: too early.
  Result<Request*> post_send(std::size_t offset, std::size_t bytes) {
    return sender_->try_send(out_.range().at(offset), bytes, kTag, out_registration_);
  }
  Result<Request*> post_receive(std::size_t offset, std::size_t bytes) {
    return receiver_->try_receive(in_.range().at(offset), bytes, kTag, in_registration_);
  }
  Result<bool> sent(Request* request) { return done(*sender_, request); }
  Result<bool> received(Request* request) { return done(*receiver_, request); }

  // One message of `bytes`, from the post to the last byte's arrival.
  Status move_one(std::size_t bytes);

 private:
  static constexpr int kTag = 1;

  TcpPair(std::unique_ptr<SendComm> sender, std::unique_ptr<ReceiveComm> receiver, Buffer out,
          Buffer in);
  Status register_both();
  static Result<bool> done(Comm& comm, Request* request);

  std::unique_ptr<SendComm> sender_;
  std::unique_ptr<ReceiveComm> receiver_;
  Buffer out_;
  Buffer in_;
  Registration* out_registration_ = nullptr;
  Registration* in_registration_ = nullptr;
};

// The built-in transport on the loopback interface.
Result<std::unique_ptr<Net>> make_loopback_net();

// Asked between polls that found nothing; looks at the clock once in a while only.
class Patience {
 public:
  // The error that ends the wait, when it has lasted too long.
  Status after_idle_poll() {
    if (++polls_ % kPollsPerLook != 0 || !deadline_.expired()) return {};
    return Error(Code::timeout, "a message did not arrive in time");
  }

 private:
  static constexpr unsigned kPollsPerLook = 1024;

  Deadline deadline_ = Deadline::after(TcpPair::kPatience);
  unsigned polls_ = 0;
};

}  // namespace hawser::bench
