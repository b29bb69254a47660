// In the plugin's process: the thread that drives one comm of the plugin for its user.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/thread.h"
#include "gpu/gpu.h"
#include "net/isolated/comm_memory.h"
#include "net/net.h"

namespace hawser::isolate {

// What a driver works with, whichever way the data goes.
struct DriverParts {
  std::unique_ptr<CommMemory> memory;
  std::optional<CommBell> bell;
  NetCapabilities capabilities;
  std::shared_ptr<Gpu> gpu;
  std::string thread_name;
  std::string label;
};

// Takes posts, tests the requests in their order, and tells of what is done; sleeps when there is
// nothing to do. An error of the plugin ends it, and is told. Thread-safe but for close().
class CommDriver {
 public:
  virtual ~CommDriver() = default;

  Status start();
  // Registers all slots with the plugin, once; the first post does it where nobody did.
  Status register_slots();
  // Stops the thread and closes the comm. As long as the plugin's calls take.
  void close();

 protected:
  explicit CommDriver(DriverParts parts);

  virtual Comm* comm() = 0;
  virtual void close_comm() = 0;
  virtual Status begin() { return {}; }  // in its thread
  // Null: too early.
  virtual Result<Request*> post(const Post& post, std::byte* slot, Registration* registration) = 0;
  // True: it is done, and `completion` says what came of it.
  virtual Result<bool> test(Request* request, const Post& post, std::byte* slot,
                            Completion& completion) = 0;
  // After each round of tests: what is left to do with those that were done.
  virtual Status end_round() { return {}; }
  // Of those, in their order: whether that has been done.
  virtual Result<bool> finished() { return true; }
  const DriverParts& parts() const { return parts_; }
  bool closing() const { return closing_.load(); }

 private:
  void loop();
  Result<bool> step();
  Result<bool> take_posts();
  Result<bool> test_posted();
  Result<bool> complete_tested();
  void complete(const Completion& completion);
  void fail(const Error& error);
  void rest(bool working);
  void sleep(bool working);

  DriverParts parts_;
  CommFields& fields_;
  std::atomic<bool> closing_{false};
  std::mutex mutex_;  // guards registering, and closing the comm
  std::atomic<Registration*> registration_{nullptr};
  // Of the thread.
  struct Taken {
    Request* request = nullptr;
    Post post;
    Completion completion;
  };
  std::vector<Taken> taken_;
  std::uint64_t seen_ = 0;  // posts, taken or not
  std::uint64_t posted_ = 0;
  std::uint64_t tested_ = 0;     // seen done
  std::uint64_t completed_ = 0;  // told of
  TimePoint moved_at_{};
  int naps_ = 0;
  Thread thread_;  // last: it uses the others
};

std::shared_ptr<CommDriver> make_driver(std::unique_ptr<SendComm> comm, DriverParts parts);
std::shared_ptr<CommDriver> make_driver(std::unique_ptr<ReceiveComm> comm, DriverParts parts);

}  // namespace hawser::isolate
