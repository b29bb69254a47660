// Comms of an isolated plugin.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "net/hosted/hosted_registration.h"
#include "net/hosted/request_window.h"
#include "net/isolated/comm_memory.h"
#include "net/isolated/plugin_process.h"
#include "net/net.h"

namespace hawser::isolate {

// Immutable but for its registrations, which lock themselves.
struct IsolatedDevice {
  int index = 0;
  std::string plugin;
  NetCapabilities capabilities;
  // Where registrations serve the whole device; otherwise each comm has its own set.
  std::unique_ptr<RegistrationSet> registrations;
};

struct CommParts {
  std::shared_ptr<PluginProcess> process;
  const IsolatedDevice* device = nullptr;  // the Net's
  std::unique_ptr<CommMemory> memory;
  std::optional<CommBell> bell;
  std::uint32_t number = 0;
};

// What sending and receiving have in common. A registration is a range to stay in: the plugin gets
// the slots to register. Not thread-safe, but registering may overlap posting and testing, and
// fail() comes from the process's watcher.
class IsolatedCommCore : public Watched {
 public:
  explicit IsolatedCommCore(CommParts parts);
  ~IsolatedCommCore() override;

  Result<Registration*> register_memory(const MemoryRange& range);
  Status deregister(Registration* registration);

  Status check_post(const char* entry, const void* data, std::size_t bytes,
                    Registration* registration);
  std::byte* next_slot() const { return memory_->slot(posted_); }
  Request* post(void* data, std::size_t bytes, int tag, const Registration* registration);

  // Nothing: the oldest request, which `request` must be, is not done.
  std::optional<Result<Completion>> completion(const Request* request);
  HostedRequest& oldest() { return *window_.oldest_unfinished(); }
  const std::byte* oldest_slot() { return memory_->slot(oldest().sequence); }
  void finish();

  int wait_fd() const;

  int driver_thread() const override { return memory_->fields().driver_thread.load(); }
  void fail(const Error& error) override;

 private:
  Status check_range(const MemoryRange& range) const;
  std::optional<Error> failure();
  std::optional<Result<Completion>> look(std::uint64_t sequence);
  void arm();

  const std::shared_ptr<PluginProcess> process_;
  const IsolatedDevice& device_;
  const std::unique_ptr<CommMemory> memory_;
  const CommBell bell_;
  const std::uint32_t number_;
  RequestWindow window_;
  std::uint64_t posted_ = 0;
  std::uint64_t stilled_ = 0;                // CommFields::rung when the bell was last stilled
  mutable std::atomic<bool> sleeps_{false};  // somebody has asked for wait_fd()
  std::atomic<bool> registered_{false};      // the slots, with the plugin
  RegistrationSet own_registrations_;        // used where they are not the device's
  RegistrationSet& registrations_;
  std::atomic<bool> failed_{false};  // publishes error_
  std::mutex mutex_;                 // guards error_
  std::optional<Error> error_;       // the first
};

// Thread safety: see Comm.
class IsolatedSendComm : public SendComm {
 public:
  explicit IsolatedSendComm(CommParts parts) : core_(std::move(parts)) {}

  Result<Registration*> register_memory(const MemoryRange& range) override {
    return core_.register_memory(range);
  }
  Status deregister(Registration* registration) override { return core_.deregister(registration); }
  Result<TestResult> test(Request* request) override;
  Result<Request*> try_send(const void* data, std::size_t bytes, int tag,
                            Registration* registration) override;
  int wait_fd() const override { return core_.wait_fd(); }

 private:
  IsolatedCommCore core_;
};

// Thread safety: see Comm.
class IsolatedReceiveComm : public ReceiveComm {
 public:
  explicit IsolatedReceiveComm(CommParts parts) : core_(std::move(parts)) {}

  Result<Registration*> register_memory(const MemoryRange& range) override {
    return core_.register_memory(range);
  }
  Status deregister(Registration* registration) override { return core_.deregister(registration); }
  Result<TestResult> test(Request* request) override;
  Result<Request*> try_receive(void* data, std::size_t bytes, int tag,
                               Registration* registration) override;
  int wait_fd() const override { return core_.wait_fd(); }

 private:
  IsolatedCommCore core_;
};

}  // namespace hawser::isolate
