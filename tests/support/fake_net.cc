#include "support/fake_net.h"

#include <algorithm>
#include <cstring>

namespace hawser::test {

// Messages sent and not received yet, in order.
struct FakeNet::Wire {
  std::mutex mutex;
  std::deque<std::vector<std::byte>> messages;
};

namespace {

constexpr std::size_t kFragmentBytes = 1000;  // odd on purpose: nothing is aligned

}  // namespace

struct FakeRequest : Request {
  std::byte* data = nullptr;
  std::size_t bytes = 0;
  bool done = false;
  std::vector<std::byte> bounce;
  std::vector<Fragment> fragments;
};

// What both directions share: the window and its rules.
class FakeComm {
 public:
  FakeComm(FakeNet& net, std::shared_ptr<FakeNet::Wire> wire) : net_(net), wire_(std::move(wire)) {}

 protected:
  Result<Registration*> make_registration() {
    if (net_.fail_registrations_) return Error(Code::plugin, "the fake net was told to fail");
    ++net_.counts_->registrations;
    return new Registration;
  }
  Status drop_registration(Registration* registration) {
    ++net_.counts_->deregistrations;
    delete registration;
    return {};
  }

  bool too_early() { return ++tries_ % (net_.reluctance_ + 1) != 0; }

  Error broken(const char* rule) {
    ++net_.counts_->broken_rules;
    return Error(Code::internal, rule);
  }

  Result<Request*> post(const void* data, std::size_t bytes, Registration* registration) {
    const NetCapabilities& can = net_.devices()[0].capabilities;
    if (registration == nullptr) return broken("not registered");
    if (bytes > can.max_request_bytes) return broken("request too large");
    if (too_early()) return nullptr;
    if (static_cast<int>(requests_.size()) == can.max_requests) return broken("window exceeded");
    auto request = std::make_unique<FakeRequest>();
    request->data = static_cast<std::byte*>(const_cast<void*>(data));
    request->bytes = bytes;
    requests_.push_back(std::move(request));
    const int in_flight = static_cast<int>(requests_.size());
    if (in_flight > net_.counts_->most_in_flight) net_.counts_->most_in_flight = in_flight;
    return requests_.back().get();
  }

  // The request, if it may be tested now.
  Result<FakeRequest*> testable(Request* request) {
    const auto unfinished =
        std::find_if(requests_.begin(), requests_.end(), [](const auto& r) { return !r->done; });
    if (unfinished == requests_.end()) return broken("tested after done");
    if (unfinished->get() != request) return broken("not the oldest");
    return unfinished->get();
  }

  FakeNet& net_;
  std::shared_ptr<FakeNet::Wire> wire_;
  std::deque<std::unique_ptr<FakeRequest>> requests_;  // posted and not over, oldest first

 private:
  int tries_ = 0;
};

namespace {

class FakeSend : public SendComm, FakeComm {
 public:
  using FakeComm::FakeComm;
  Result<Registration*> register_memory(const MemoryRange&) override { return make_registration(); }
  Status deregister(Registration* registration) override { return drop_registration(registration); }

  Result<Request*> try_send(const void* data, std::size_t bytes, int,
                            Registration* registration) override {
    return post(data, bytes, registration);
  }

  Result<TestResult> test(Request* asked) override {
    HAWSER_ASSIGN(FakeRequest* const request, testable(asked));
    if (too_early()) return TestResult{};
    const std::lock_guard lock(wire_->mutex);
    wire_->messages.emplace_back(request->data, request->data + request->bytes);
    requests_.pop_front();
    return TestResult{true, std::nullopt};
  }
};

class FakeReceive : public ReceiveComm, FakeComm {
 public:
  using FakeComm::FakeComm;
  Result<Registration*> register_memory(const MemoryRange&) override { return make_registration(); }
  Status deregister(Registration* registration) override { return drop_registration(registration); }

  Result<Request*> try_receive(void* data, std::size_t bytes, int,
                               Registration* registration) override {
    return post(data, bytes, registration);
  }

  Result<TestResult> test(Request* asked) override {
    HAWSER_ASSIGN(FakeRequest* const request, testable(asked));
    if (too_early()) return TestResult{};
    std::vector<std::byte> message;
    {
      const std::lock_guard lock(wire_->mutex);
      if (wire_->messages.empty()) return TestResult{};
      message = std::move(wire_->messages.front());
      wire_->messages.pop_front();
    }
    return land(*request, std::move(message));
  }

  Result<Fragments> fragments(Request* asked) override {
    auto* const request = static_cast<FakeRequest*>(asked);
    if (!request->done) return broken("fragments of an unfinished request");
    return Fragments{request->bounce.data(), MemoryKind::host, request->bounce.size(),
                     request->fragments};
  }

  Status consume(Request* asked) override {
    if (requests_.empty() || requests_.front().get() != asked)
      return broken("consumed out of order");
    std::fill(requests_.front()->bounce.begin(), requests_.front()->bounce.end(), std::byte{0xdb});
    requests_.pop_front();
    ++net_.counts().consumed;
    return {};
  }

 private:
  Result<TestResult> land(FakeRequest& request, std::vector<std::byte> message) {
    const NetCapabilities& can = net_.devices()[0].capabilities;
    const std::size_t bytes = message.size();
    const auto reported = can.reports_received_bytes ? std::optional(bytes) : std::nullopt;
    if (bytes > request.bytes) return Error(Code::data, "a send longer than its receive");
    request.done = true;
    if (can.needs_unpack) {
      scatter(request, message);
    } else {
      std::memcpy(request.data, message.data(), bytes);
      requests_.pop_front();
    }
    return TestResult{true, reported};
  }

  // Into the bounce pool back to front, in pieces.
  static void scatter(FakeRequest& request, const std::vector<std::byte>& message) {
    request.bounce.resize(message.size());
    for (std::size_t at = 0; at < message.size(); at += kFragmentBytes) {
      const std::size_t bytes = std::min(kFragmentBytes, message.size() - at);
      const std::size_t place = message.size() - at - bytes;
      std::memcpy(request.bounce.data() + place, message.data() + at, bytes);
      request.fragments.push_back(
          {static_cast<std::uint32_t>(place), static_cast<std::uint32_t>(bytes), at});
    }
  }
};

class FakeConnector : public Connector {
 public:
  explicit FakeConnector(std::unique_ptr<SendComm> comm) : comm_(std::move(comm)) {}
  Result<std::unique_ptr<SendComm>> try_connect() override {
    return tries_++ == 0 ? nullptr : std::move(comm_);
  }

 private:
  int tries_ = 0;
  std::unique_ptr<SendComm> comm_;
};

}  // namespace

class FakeListener : public Listener {
 public:
  FakeListener(FakeNet& net, int id, std::shared_ptr<FakeNet::Wire> wire)
      : net_(net), wire_(std::move(wire)) {
    std::memcpy(handle_.data(), &id, sizeof id);
  }
  const Handle& handle() const override { return handle_; }
  Result<std::unique_ptr<ReceiveComm>> try_accept() override {
    if (tries_++ == 0) return std::unique_ptr<ReceiveComm>();
    return std::make_unique<FakeReceive>(net_, wire_);
  }

 private:
  FakeNet& net_;
  std::shared_ptr<FakeNet::Wire> wire_;
  Handle handle_{};
  int tries_ = 0;
};

FakeNet::FakeNet(const NetCapabilities& capabilities) {
  NetDevice device;
  device.name = "fake0";
  device.capabilities = capabilities;
  devices_.push_back(device);
}

Result<std::unique_ptr<Listener>> FakeNet::listen(const CommPlace&) {
  const std::lock_guard lock(mutex_);
  const int id = static_cast<int>(wires_.size());
  const auto wire = wires_.emplace(id, std::make_shared<Wire>()).first->second;
  return std::make_unique<FakeListener>(*this, id, wire);
}

Result<std::unique_ptr<Connector>> FakeNet::connect(const CommPlace&, const Handle& handle) {
  int id = 0;
  std::memcpy(&id, handle.data(), sizeof id);
  const std::lock_guard lock(mutex_);
  return std::make_unique<FakeConnector>(std::make_unique<FakeSend>(*this, wires_.at(id)));
}

}  // namespace hawser::test
