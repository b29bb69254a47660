// A Net in memory, simulated, for tests of what stands above Net: its capabilities are the test's
// to choose, it counts its calls, and it fails the caller that breaks a rule.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "net/net.h"

namespace hawser::test {

struct FakeNetCounts {
  std::atomic<int> registrations{0};
  std::atomic<int> deregistrations{0};
  std::atomic<int> most_in_flight{0};
  std::atomic<int> broken_rules{0};
  std::atomic<int> consumed{0};
};

// One device. Thread-safe as a Net is.
class FakeNet : public Net {
 public:
  explicit FakeNet(const NetCapabilities& capabilities);

  FakeNetCounts& counts() { return *counts_; }
  // From now on, that many tries of each post and test are "too early" before one is not.
  void set_reluctance(int tries) { reluctance_ = tries; }
  // From now on, register_memory fails.
  void fail_registrations() { fail_registrations_ = true; }

  const std::string& name() const override { return name_; }
  const std::string& description() const override { return name_; }
  const std::vector<NetDevice>& devices() const override { return devices_; }
  Result<std::unique_ptr<Listener>> listen(const CommPlace& place) override;
  Result<std::unique_ptr<Connector>> connect(const CommPlace& place, const Handle& handle) override;

  struct Wire;  // what a connection's two comms share

 private:
  friend class FakeComm;
  friend class FakeListener;

  std::string name_ = "simulated in-memory net";
  std::vector<NetDevice> devices_;
  std::shared_ptr<FakeNetCounts> counts_ = std::make_shared<FakeNetCounts>();
  std::atomic<int> reluctance_{0};
  std::atomic<bool> fail_registrations_{false};
  std::mutex mutex_;  // guards wires_
  std::map<int, std::shared_ptr<Wire>> wires_;
};

}  // namespace hawser::test
