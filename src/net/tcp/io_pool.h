// The I/O threads of a Net: a bounded set, started when the first flow asks for one.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "net/tcp/io_thread.h"

namespace hawser::tcp {

struct IoPoolOptions {
  int threads = 0;        // 0: whoever polls does everything
  std::vector<int> cpus;  // where they may run, each on any; empty: as whoever starts them
  std::chrono::microseconds spin{0};
};

// Thread-safe. Outlives the flows that its threads drive.
class IoPool {
 public:
  explicit IoPool(IoPoolOptions options) : options_(std::move(options)) {}

  int threads() const { return options_.threads; }
  // The next in turn; nullptr where there are to be none, or none could be started.
  IoThread* next();

 private:
  void start();

  const IoPoolOptions options_;
  std::mutex mutex_;  // guards what follows
  bool started_ = false;
  std::size_t turn_ = 0;
  std::vector<std::unique_ptr<IoThread>> running_;
};

}  // namespace hawser::tcp
