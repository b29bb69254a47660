// The other side of a measurement on one machine: a child process.
#pragma once

#include <sys/types.h>

#include "perf/perf.h"
#include "streams.h"

namespace hawser::tool {

// Forks where it is made, so make it while the process has one thread. The child ends with its
// run, or when this process does, however that ends. Not thread-safe.
class LoopbackServer {
 public:
  LoopbackServer(const PerfOptions& options, Streams& streams);
  ~LoopbackServer() { end(false); }
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  // Waits till it listens. -1: it could not; it has said why.
  int wait_for_port_base();
  // Waits for its end, if it is to end by itself; kills it otherwise, or when it does not. Its exit
  // status, or -1.
  int end(bool by_itself);

 private:
  [[noreturn]] void serve(PerfOptions options);
  bool reaped();

  Streams& streams_;
  int timeout_ms_;
  int port_pipe_ = -1;
  pid_t child_ = -1;
  int status_ = -1;
};

}  // namespace hawser::tool
