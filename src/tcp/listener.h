// Waits for the one connection whose hello carries the listener's nonce.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "net/net.h"
#include "tcp/device.h"
#include "tcp/frame.h"

namespace hawser::tcp {

// Whatever else connects is dropped with one line in the log. Not thread-safe; different listeners
// may be used by different threads.
class TcpListener final : public Listener {
 public:
  // At most so many connections that have not said who they are, each for so long; a further one
  // takes the place of the oldest once that has had its chance, so that silent ones can neither
  // keep the real one out nor push it out before its hello, which is under way, has come.
  static constexpr std::size_t kMaxCandidates = 16;
  static constexpr Milliseconds kGreetingTimeout{10000};
  static constexpr Milliseconds kChance{250};

  static Result<std::unique_ptr<TcpListener>> open(Device& device);

  const Handle& handle() const override { return handle_; }
  Result<std::unique_ptr<ReceiveComm>> try_accept() override;

 private:
  struct Candidate {
    UniqueFd fd;
    std::string from;
    Deadline deadline = Deadline::never();
    Greeting greeting{};
    std::size_t have = 0;
  };
  enum class Verdict { waiting, welcome, stray };

  TcpListener(Device& device, UniqueFd fd, const SocketAddress& address, const Nonce& nonce);
  std::unique_ptr<ReceiveComm> judge_all();
  Status admit();
  bool has_place() const;
  void admit(UniqueFd fd);
  Verdict judge(Candidate& candidate, std::string& why) const;
  void drop(std::size_t index, const std::string& why);
  Result<std::unique_ptr<ReceiveComm>> welcome(std::size_t index);

  Device& device_;
  UniqueFd fd_;  // invalid after the accept
  std::string text_;
  Nonce nonce_;
  Greeting expected_;
  Handle handle_;
  std::vector<Candidate> candidates_;  // oldest first
};

}  // namespace hawser::tcp
