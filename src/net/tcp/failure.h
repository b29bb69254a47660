// Why a comm is of no use any more: what the first flow that failed says.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>

#include "base/result.h"

namespace hawser::tcp {

// Thread-safe. Set once; later ones are consequences of the first, and forgotten.
class Failure {
 public:
  void set(Error error) {
    const std::lock_guard lock(mutex_);
    take(std::move(error));
  }
  // Allocates nothing.
  void set_out_of_memory() noexcept {
    const std::lock_guard lock(mutex_);
    take(std::move(out_of_memory_));
  }
  // nullptr: none. It stays as it is, and where it is.
  const Error* get() const { return set_.load(std::memory_order_acquire) ? &*error_ : nullptr; }

 private:
  void take(Error&& error) {
    if (error_) return;
    error_ = std::move(error);
    set_.store(true, std::memory_order_release);  // publishes error_
  }

  std::atomic<bool> set_{false};
  std::mutex mutex_;
  std::optional<Error> error_;
  Error out_of_memory_{Code::system, "an I/O thread had no memory left"};  // while there is some
};

}  // namespace hawser::tcp
