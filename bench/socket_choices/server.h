// The receiving process: does as it is told, until the other one has gone.
#pragma once

#include <memory>
#include <vector>

#include "socket_choices/bare_pair.h"
#include "socket_choices/control.h"
#include "socket_choices/link.h"

namespace hawser::bench {

// Variants are meant by their index in `variants`. Of one thread.
class Server {
 public:
  Server(Control control, const std::vector<Variant>& variants, Milliseconds timeout)
      : control_(std::move(control)), variants_(variants), timeout_(timeout) {}

  // Until the other process closes its end of the control connection, or falls silent.
  void serve();

 private:
  // Nobody waits for longer than this between two commands: the other side fills memory meanwhile.
  static constexpr int kSilence = 4;  // times the timeout

  void obey(const Command& command);
  Result<Reply> listen(const Command& command);
  Result<Reply> accept(const Command& command);
  Result<Reply> run(const Command& command);
  void close();

  Control control_;
  const std::vector<Variant>& variants_;
  Milliseconds timeout_;
  Memory memory_;
  Meeting meeting_;
  const Variant* variant_ = nullptr;
  std::size_t message_bytes_ = 0;
  std::unique_ptr<Link> link_;
};

}  // namespace hawser::bench
