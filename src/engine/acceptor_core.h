// Who listens: callers come in, say Hello, and become links.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fork.h"
#include "control/listener.h"
#include "engine/control_line.h"
#include "engine/meeting.h"
#include "engine/reactor.h"

namespace hawser::engine {

class EngineCore;

// Thread-safe; polled by the reactor's thread. Whatever connects and is no hawser costs a log line.
class AcceptorCore final : public Polled, public std::enable_shared_from_this<AcceptorCore> {
 public:
  static Result<std::shared_ptr<AcceptorCore>> create(const std::shared_ptr<EngineCore>& engine,
                                                      const LinkOptions& options,
                                                      const std::string& address, int port);

  // True: a copy in a child of fork(), on which nothing else may be called but port().
  bool inherited() const { return made_.inherited(); }
  int port() const { return port_; }
  Result<std::shared_ptr<LinkCore>> accept(int timeout_ms);
  std::shared_ptr<LinkCore> try_accept();
  void close();

  void interests(std::vector<Interest>& into) override;
  bool poll(TimePoint now, bool ready) override;

 private:
  AcceptorCore(const std::shared_ptr<EngineCore>& engine, LinkOptions options, int port,
               std::vector<control::Listener::Port> ports);
  Status decide(std::unique_ptr<control::Line>& line, std::span<const std::byte> frame);
  Status welcome(std::unique_ptr<control::Line>& line, const wire::Hello& hello);
  void link_up(std::shared_ptr<LinkCore> link);

  const std::weak_ptr<EngineCore> engine_;
  const LinkOptions options_;
  const int port_;
  const ForkMark made_;
  std::mutex polling_;  // held by poll(), guards what follows
  control::Listener listener_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable arrived_;
  std::deque<std::shared_ptr<LinkCore>> links_;
  bool closed_ = false;
};

}  // namespace hawser::engine
