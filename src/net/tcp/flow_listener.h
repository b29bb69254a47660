// Where connections come in: a listening socket on each interface of a device, and whoever has
// come and not yet said who he is.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "net/tcp/connection.h"
#include "net/tcp/frame.h"
#include "net/tcp/handle.h"

namespace hawser::tcp {

// Whoever knows the nonce, and names a flow that is awaited, is welcomed; whatever else connects is
// dropped with one line in the log. Not thread-safe.
class FlowListener {
 public:
  // At most so many connections that have not said who they are, each for so long; a further one
  // takes the place of the oldest once that has had its chance, so that silent ones can neither
  // keep the real one out nor push it out before its hello, which is under way, has come.
  static constexpr std::size_t kMaxCandidates = 16;
  static constexpr Milliseconds kGreetingTimeout{10000};
  static constexpr Milliseconds kChance{250};

  static Result<std::unique_ptr<FlowListener>> open(Device& device);

  const Handle& handle() const { return handle_; }
  const std::string& text() const { return text_; }

  // From now on only these flows are awaited: `first` to `first + count - 1`.
  void await(unsigned first, unsigned count);
  unsigned awaited() const { return awaited_count_; }

  // Somebody who was awaited, and has been welcomed. Empty: not yet.
  struct AcceptedFlow {
    Connection connection;
    unsigned flow = 0;
    unsigned flows = 1;  // of this connection, at most: the smaller of both sides' wishes
  };
  Result<std::optional<AcceptedFlow>> next();

 private:
  struct Candidate {
    UniqueFd fd;
    std::string from;
    Deadline deadline = Deadline::never();
    Greeting greeting{};
    std::size_t have = 0;
  };
  enum class Verdict { waiting, welcome, stray };

  FlowListener(Device& device, std::vector<UniqueFd> sockets, const ListenerName& name);
  std::optional<AcceptedFlow> judge_all();
  Status admit();
  bool has_place() const;
  void admit(UniqueFd fd, const SocketAddress& from);
  Verdict judge(Candidate& candidate, std::string& why) const;
  void drop(std::size_t index, const std::string& why);
  Result<AcceptedFlow> welcome(std::size_t index);

  Device& device_;
  std::vector<UniqueFd> sockets_;
  Nonce nonce_;
  Handle handle_;
  std::string text_;
  unsigned first_ = 0;         // awaited
  std::vector<bool> awaited_;  // by flow
  unsigned awaited_count_ = 0;
  std::vector<Candidate> candidates_;  // oldest first
};

}  // namespace hawser::tcp
