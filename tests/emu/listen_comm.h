// The side that waits for one connection.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>

#include "faults.h"
#include "services.h"
#include "socket.h"

namespace emu {

// Serves one accept. Connections that do not say the right hello are dropped and counted;
// at most kMaxHalfOpen may be undecided at a time. One thread at a time (see Use).
class ListenComm {
 public:
  ListenComm(Services services, CommInfo info, Socket socket, std::uint64_t nonce);

  const CommInfo& info() const { return info_; }

  // Has a right hello come? Never on the first call.
  bool poll();
  // Its connection, once the answer is under way; nothing where it broke meanwhile.
  std::optional<Socket> welcome() { return answer(FrameKind::welcome); }
  void refuse() { answer(FrameKind::no_rule); }
  bool broken() const { return broken_; }  // no connection will come any more

  std::atomic<bool> in_use{false};
  FirstCall first_accept;
  FirstCall first_rule;
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
  std::optional<Socket> answer(FrameKind kind);

  const Services services_;
  const CommInfo info_;
  Socket socket_;
  const std::uint64_t nonce_;
  bool polled_ = false;
  bool broken_ = false;
  std::deque<HalfOpen> half_open_;
  std::optional<Socket> greeted_;  // it said the right hello
};

}  // namespace emu
