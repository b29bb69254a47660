#include "net/tcp/io_pool.h"

#include "base/log.h"

namespace hawser::tcp {

IoThread* IoPool::next() {
  if (options_.threads == 0) return nullptr;
  const std::lock_guard lock(mutex_);
  if (!started_) start();
  if (running_.empty()) return nullptr;
  return running_[turn_++ % running_.size()].get();
}

// With fewer than wanted, or none, everything goes on: whoever polls does the rest.
void IoPool::start() {
  started_ = true;
  for (int i = 0; i < options_.threads; ++i) {
    auto thread = IoThread::start({i, options_.cpus, options_.spin});
    if (thread.ok()) {
      running_.push_back(std::move(*thread));
      continue;
    }
    log_warning("{} of {} I/O threads run: {}", i, options_.threads, thread.error().message());
    return;
  }
}

}  // namespace hawser::tcp
