// Where a device's connections come in: one port for all of them, and whoever has come and not yet
// said who he is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/log_limiter.h"
#include "base/result.h"
#include "net/tcp/data_socket.h"
#include "net/tcp/frame.h"

namespace hawser::tcp {

// The ports that a data listener may take; 0 to 0: any.
struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;

  // "30000", "30000-30015"; "" is any.
  static Result<PortRange> parse(const std::string& text);
  std::string text() const;
};

// Whoever knows a nonce that is expected is let in to whoever expects it; whatever else connects is
// dropped with one line in the log. Whoever asks for his guests sees to everybody's, so that there
// is no thread for it. Thread-safe.
class Door {
 public:
  // At most so many connections that have not said who they are, each for so long. All that come
  // are let in, so that nobody waits behind others; where there are too many, the oldest of the
  // address that has most of them goes, once it has had its chance, or at once where that address
  // has more than half of the places: silent ones can neither keep the real one out nor push it out
  // before its hello, which is under way, has come.
  static constexpr std::size_t kMaxCandidates = 128;
  static constexpr std::size_t kLeastCandidates = 16;  // where the process may have few descriptors
  static constexpr Milliseconds kGreetingTimeout{10000};
  static constexpr Milliseconds kChance{250};

  explicit Door(PortRange ports);

  // Listens there, if it does not yet: on a port of the range, the same one for all addresses where
  // it is free. It does so until nobody is expected any more; for good, once it was told to stay.
  Result<SocketAddress> open(const std::string& device, const IpAddress& address,
                             const SocketOptions& options);

  void stay_open();

  void expect(const Nonce& nonce);
  void forget(const Nonce& nonce);

  // A connection that has said its hello, and waits for its welcome.
  struct Guest {
    UniqueFd fd;
    std::string from;
    Greeting greeting{};
  };
  // Empty: none for this nonce yet. An error: the door itself is of no use any more.
  Result<std::optional<Guest>> next(const Nonce& nonce);

 private:
  struct Socket {
    UniqueFd fd;
    SocketAddress address;
    std::string text;  // "data listener 192.0.2.7:4000 on eth1"
  };
  struct Candidate {
    Guest guest;
    IpAddress ip;
    std::string at;  // the socket's text
    Deadline deadline = Deadline::never();
    std::size_t have = 0;
  };
  enum class Verdict { waiting, welcome, stray };
  struct Line {
    LogLevel level;
    std::string text;
  };

  Status admit();
  bool make_room();
  void judge_all();
  bool decide(std::size_t index);
  void remove(std::size_t index);
  Verdict judge(Candidate& candidate, std::string& why, LogLevel& level);
  Verdict let_in(Candidate& candidate, std::string& why);
  void drop(std::size_t index, const std::string& why, LogLevel level = LogLevel::warning);
  Result<SocketAddress> listen(const std::string& device, const IpAddress& address,
                               const SocketOptions& options);

  const PortRange ports_;
  const std::size_t most_;  // candidates
  std::mutex mutex_;        // guards what follows
  bool stays_open_ = false;
  std::uint16_t last_port_ = 0;
  std::vector<Socket> sockets_;
  std::vector<Candidate> candidates_;                        // oldest first
  std::map<std::array<std::byte, 16>, std::size_t> places_;  // of them, by address
  std::map<Nonce, std::deque<Guest>> expected_;
  std::vector<Line> lines_;  // for the log, once the lock is given up
  StrangerLog log_;          // has a lock of its own, which is taken last
};

}  // namespace hawser::tcp
