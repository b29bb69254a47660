// Who listens: candidates come in, say Hello, and become links.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "engine/control_line.h"
#include "engine/meeting.h"
#include "engine/reactor.h"

namespace hawser::engine {

class EngineCore;

// Thread-safe; polled by the reactor's thread. Whatever connects and is no hawser costs a log line.
class AcceptorCore final : public Polled, public std::enable_shared_from_this<AcceptorCore> {
 public:
  static Result<std::shared_ptr<AcceptorCore>> create(const std::shared_ptr<EngineCore>& engine,
                                                      Party party, const std::string& address,
                                                      int port);

  int port() const { return port_; }
  Result<std::shared_ptr<LinkCore>> accept(int timeout_ms);
  std::shared_ptr<LinkCore> try_accept();
  void close();

  void interests(std::vector<Interest>& into) override;
  bool poll(TimePoint now, bool ready) override;

 private:
  static constexpr std::size_t kMaxCandidates = 64;
  static constexpr Milliseconds kGreeting{5000};

  struct Candidate {
    std::shared_ptr<ControlLine> control;
    TimePoint came_at;
    std::optional<wire::Hello> hello;
  };

  AcceptorCore(const std::shared_ptr<EngineCore>& engine, Party party)
      : engine_(engine), party_(std::move(party)) {}
  void take_in(TimePoint now);
  bool look_at(Candidate& candidate, TimePoint now);
  void welcome(Candidate& candidate);
  void link_up(std::shared_ptr<LinkCore> link);

  const std::weak_ptr<EngineCore> engine_;
  const Party party_;
  int port_ = 0;
  std::mutex polling_;  // held by poll(), guards what follows
  std::vector<UniqueFd> sockets_;
  std::vector<Candidate> candidates_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable arrived_;
  std::deque<std::shared_ptr<LinkCore>> links_;
  bool closed_ = false;
};

}  // namespace hawser::engine
