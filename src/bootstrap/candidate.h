// Somebody who has connected to a rendezvous server and may or may not be its client.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/clock.h"
#include "base/fd.h"
#include "bootstrap/rendezvous.h"
#include "bootstrap/wire.h"

namespace hawser {

// Not thread-safe. Never blocks; holds at most kMaxHelloBytes of what it was sent.
class Candidate {
 public:
  static constexpr std::size_t kMaxHelloBytes = 2 * wire::kMaxFrameBytes;

  Candidate(UniqueFd socket, std::string peer, int channel);

  struct StillWaiting {};
  struct Refused {
    std::string reason;
    bool tell = false;  // it speaks hawser: it can read a Refuse
  };
  struct Accepted {
    wire::Hello hello;
    wire::Plan plan;
  };
  using Verdict = std::variant<StillWaiting, Refused, Accepted>;

  // Reads what is there and judges it. `control_address` is where a client ought to knock.
  Verdict judge(const RendezvousServer::Decide& decide, const std::string& control_address);
  // Sends the reason, if it can be sent at once, and closes.
  void refuse(const std::string& reason);
  void close() { socket_.reset(); }

  Rendezvous into_rendezvous(Accepted accepted);

  int socket() const { return socket_.get(); }
  bool open() const { return socket_.valid(); }
  bool silent() const { return received_ == 0; }
  bool may_speak_hawser() const { return silent() || speaks_hawser_; }
  const Deadline& deadline() const { return deadline_; }
  const std::string& peer() const { return peer_; }
  std::string describe_overdue() const;

 private:
  enum class Ending { none, closed, broken };

  void read_available();
  std::string describe_ending() const;
  Verdict answer(const wire::Hello& hello, const RendezvousServer::Decide& decide);

  UniqueFd socket_;
  std::string peer_;
  int channel_;
  Deadline deadline_;
  wire::Decoder decoder_;
  std::size_t received_ = 0;
  bool speaks_hawser_ = false;  // what it sent starts as a frame does
  Ending ending_ = Ending::none;
  int err_ = 0;
};

}  // namespace hawser
