// The side that waits for one connection.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>

#include "faults.h"
#include "place.h"
#include "services.h"
#include "socket.h"

namespace emu {

// Serves one accept. Connections that do not say the right hello are dropped and counted;
// at most kMaxHalfOpen may be undecided at a time. One thread at a time (see Use).
class ListenComm {
 public:
  ListenComm(Services services, CommInfo info, Place place, Socket socket, std::uint64_t nonce);

  const CommInfo& info() const { return info_; }
  const Place& place() const { return place_; }

  // The connection, once its hello has come and was answered; never on the first call.
  std::optional<Socket> poll();

  std::atomic<bool> in_use{false};
  FirstCall first_accept;
  bool accept_started = false;
  bool accepted = false;

 private:
  struct HalfOpen {
    Socket socket;
    FrameReader reader;
  };
  enum class Hello { waiting, wrong, right };
  void take_connections();
  Hello read_hello(HalfOpen& peer) const;
  void drop(const char* why);
  static bool welcome(const Socket& socket, std::uint64_t nonce);

  const Services services_;
  const CommInfo info_;
  const Place place_;
  Socket socket_;
  const std::uint64_t nonce_;
  bool polled_ = false;
  std::deque<HalfOpen> half_open_;
};

}  // namespace emu
