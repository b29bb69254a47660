// The other process: forked from this one, and gone with it.
#pragma once

#include <sys/types.h>

#include <vector>

#include "socket_choices/control.h"
#include "socket_choices/variant.h"

namespace hawser::bench {

// Owns the process. Not thread-safe; made before there is any thread.
class Peer {
 public:
  // The receiving process serves from here on, kept on `cpu` (-1: anywhere).
  static Result<Peer> start(const std::vector<Variant>& variants, Milliseconds timeout, int cpu);
  Peer(Peer&& other) noexcept
      : child_(std::exchange(other.child_, -1)), control_(std::move(other.control_)) {}
  Peer& operator=(Peer&&) = delete;
  ~Peer();

  Control& control() { return control_; }

 private:
  Peer(pid_t child, Control control) : child_(child), control_(std::move(control)) {}

  pid_t child_;
  Control control_;
};

}  // namespace hawser::bench
