// The links that have come to a GPU's port, and which of them is its client's.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "node/agreement.h"

namespace hawser::node {

// Whoever makes a link may be anybody: each has a time of his own to say Hello, and none waits for
// another. Used by one thread.
class Reception {
 public:
  Reception(NodeState& state, std::size_t gpu)
      : state_(state), gpu_(gpu), acceptor_(*state.acceptors[gpu]) {}

  // The client's link, agreed. Whoever does not fit is refused, with a note, and waiting goes on;
  // whoever else is there in the end is sent away. `deadline` bounds all of it.
  Result<Agreed> run(const Deadline& deadline);

  static constexpr std::size_t kMaxCallers =
      16;  // of one port; the oldest gives way to a newer one

 private:
  struct Caller {
    Link link;
    std::unique_ptr<Messenger> messenger;
    Transfer hello;
    Deadline until;        // for the Hello to come, or for the refusal to be heard
    bool refused = false;  // it has been told so
  };

  Status go_on(const Deadline& deadline) const;
  Status admit(const Deadline& deadline);
  void take_in(const Link& link);
  std::optional<Agreed> look_at(Caller& caller);
  Result<Agreed> answer(Caller& caller);
  void turn_away(Caller& caller, const Error& why);
  void end_all();

  NodeState& state_;
  const std::size_t gpu_;
  Acceptor& acceptor_;
  std::list<Caller> callers_;  // in the order they came
};

}  // namespace hawser::node
