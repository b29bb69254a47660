// Comms of a hosted plugin.
#pragma once

#include <memory>
#include <optional>

#include "net/hosted/hosted_plugin.h"
#include "net/hosted/page_budget.h"
#include "net/hosted/request_window.h"
#include "net/hosted/unpack_reader.h"
#include "net/net.h"

namespace hawser {

// What sending and receiving have in common: registrations, the window, testing, and the
// memory of a failure. Not thread-safe, but registering may overlap posting and testing. Borrows
// the plugin and the device, which the Net owns.
class HostedCommCore {
 public:
  HostedCommCore(HostedPlace place, void* comm);

  const HostedPlace& place() const { return place_; }
  const HostedPlugin& plugin() const { return place_.plugin; }
  const HostedDevice& device() const { return place_.device; }
  void* comm() const { return comm_; }
  RequestWindow& window() { return window_; }

  Result<Registration*> register_memory(const MemoryRange& range);
  Status deregister(Registration* registration);

  // Fills the next place of the window and calls `make(place)`, which returns the plugin's result;
  // null where the plugin was not ready.
  template <class Make>
  Result<Request*> post(const char* entry, void* data, std::size_t bytes,
                        Registration* registration, Make&& make);

  // The oldest unfinished request, if `request` is it.
  Result<HostedRequest*> oldest(const Request* request);
  // Whether the plugin's request is done. `sizes` has kMaxSizes entries.
  Result<bool> poll(const HostedRequest& owner, void* plugin_request, int* sizes);
  static constexpr std::size_t kMaxSizes = 8;

  CallNote note(const char* entry) const { return place_.note(entry); }
  CallNote note(const char* entry, const HostedRequest& request) const;
  // Remembers the error: after one the plugin's requests may be gone, and are not touched again.
  Error fail(Error error);
  const std::optional<Error>& failure() const { return failure_; }

  void say_what_is_left() const;

 private:
  Result<MemoryRange> registrable(const MemoryRange& range) const;
  Result<MemoryRange> registrable_of_gpu(const MemoryRange& range) const;
  Status check_post(const char* entry, const void* data, std::size_t bytes,
                    const HostedRegistration* registration) const;

  const HostedPlace place_;
  void* comm_;
  RequestWindow window_;
  RegistrationSet own_registrations_;  // used where they are not the device's
  RegistrationSet& registrations_;
  std::optional<Error> failure_;
};

// Thread safety: see Comm.
class HostedSendComm : public SendComm {
 public:
  // `device_handle` is storage the plugin may write to for as long as the comm lives.
  HostedSendComm(HostedPlace place, void* comm, std::unique_ptr<abi::DeviceHandle> device_handle);
  ~HostedSendComm() override;

  Result<Registration*> register_memory(const MemoryRange& range) override;
  Status deregister(Registration* registration) override;
  Result<TestResult> test(Request* request) override;
  Result<Request*> try_send(const void* data, std::size_t bytes, int tag,
                            Registration* registration) override;

 private:
  HostedCommCore core_;
  std::unique_ptr<abi::DeviceHandle> device_handle_;
};

// Thread safety: see Comm.
class HostedReceiveComm : public ReceiveComm {
 public:
  HostedReceiveComm(HostedPlace place, void* comm,
                    std::unique_ptr<abi::DeviceHandle> device_handle);
  ~HostedReceiveComm() override;

  // For a device that unpacks: once, before anything is received. `given` is what accept handed
  // out.
  Status open_unpacking(const abi::DeviceHandle* given);

  Result<Registration*> register_memory(const MemoryRange& range) override;
  Status deregister(Registration* registration) override;
  Result<TestResult> test(Request* request) override;
  Result<Request*> try_receive(void* data, std::size_t bytes, int tag,
                               Registration* registration) override;
  MemoryKind bounce_kind() const override {
    return unpack_ ? unpack_->bounce_kind() : MemoryKind::host;
  }
  Result<Fragments> fragments(Request* request) override;
  Status consume(Request* request) override;

 private:
  Result<TestResult> test_receive(HostedRequest& request);
  Result<TestResult> test_flush(HostedRequest& request);
  Status take_size(HostedRequest& request, int size);
  Status bound_pages();
  Result<bool> start_flush(HostedRequest& request);
  TestResult finish(HostedRequest& request);
  Result<HostedRequest*> next_to_consume(const Request* request);

  // What the plugin is told of a receive.
  struct Posting {
    void* data = nullptr;
    Registration* registration = nullptr;
  };
  Result<Posting> posting(const Posting& wanted);

  HostedCommCore core_;
  std::unique_ptr<abi::DeviceHandle> device_handle_;
  std::optional<UnpackReader> unpack_;
  PageShare pages_;
  std::shared_ptr<Buffer> stand_in_;  // and its registration, once a receive wanted it
  Registration* stand_in_registration_ = nullptr;
};

}  // namespace hawser
