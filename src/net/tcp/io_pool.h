// The I/O threads of a Net: a bounded set, started when the first flow asks for one.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "net/tcp/io_thread.h"
#include "net/tcp/sender_count.h"

namespace hawser::tcp {

struct IoPoolOptions {
  int threads = 0;        // 0: whoever polls does everything
  std::vector<int> cpus;  // where they may run, each on any; empty: as whoever starts them
  std::chrono::microseconds spin{0};
  int cores = 1;  // that the process may use: its callers' and these threads'
};

// Thread-safe. Outlives the flows that its threads drive.
class IoPool {
 public:
  explicit IoPool(IoPoolOptions options) : options_(std::move(options)) {}

  int threads() const { return options_.threads; }
  // The next in turn; nullptr where there are to be none, or none could be started.
  IoThread* next();

  // A comm sends a large message, `last` as SenderCount has it. Whether it should do so alone: the
  // callers of all comms that do are at least as many as the cores that they leave to I/O threads,
  // which would take from one comm what they give to another.
  bool crowded(SenderCount::Period& last) { return 2 * senders_.count(last) >= options_.cores; }

 private:
  void start();

  const IoPoolOptions options_;
  SenderCount senders_;
  std::mutex mutex_;  // guards what follows
  bool started_ = false;
  std::size_t turn_ = 0;
  std::vector<std::unique_ptr<IoThread>> running_;
};

}  // namespace hawser::tcp
