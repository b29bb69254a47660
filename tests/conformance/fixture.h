// What every conformance test starts with: the Net, and ways to make pairs and messages of it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "conformance/nets.h"
#include "support/guarded_buffer.h"
#include "support/net_flow.h"
#include "support/net_pair.h"

namespace hawser::test {

#define ASSERT_OK(expr)                                           \
  do {                                                            \
    const auto& ok_result_ = (expr);                              \
    ASSERT_TRUE(ok_result_.ok()) << ok_result_.error().message(); \
  } while (false)
#define EXPECT_OK(expr)                                           \
  do {                                                            \
    const auto& ok_result_ = (expr);                              \
    EXPECT_TRUE(ok_result_.ok()) << ok_result_.error().message(); \
  } while (false)

inline constexpr Milliseconds kPatience{30000};
inline Deadline patience() {
  return Deadline::after(kPatience);
}

// A comm's registration of a buffer, dropped at the end of the scope.
class ScopedRegistration {
 public:
  ScopedRegistration(Comm& comm, const GuardedBuffer& buffer);
  ~ScopedRegistration();
  ScopedRegistration(const ScopedRegistration&) = delete;
  ScopedRegistration& operator=(const ScopedRegistration&) = delete;

  Registration* get() const { return registration_; }

 private:
  Comm& comm_;
  Registration* registration_ = nullptr;
};

// A pair with flows and one registered buffer of `bytes` a side.
struct Channel {
  Channel(NetPair connected, const NetCapabilities& capabilities, std::size_t bytes,
          std::shared_ptr<Gpu> gpu);

  // Sends `bytes` at `offset` of the send buffer to the same place of the receive buffer.
  Status post_send(std::size_t offset, std::size_t bytes, int tag = 0);
  // A receive of `capacity` bytes at `offset`.
  Status post_receive(std::size_t offset, std::size_t capacity, int tag = 0);
  // The same, progressing the receiving end, too: a Net may keep a tag back until that one is
  // ready.
  Status post_send_polling_both(std::size_t offset, std::size_t bytes, int tag);
  Status drain_both() { return drain(send, receive, patience()); }

  NetPair pair;
  GuardedBuffer from, to;
  SendFlow send;
  ReceiveFlow receive;
  ScopedRegistration send_registration, receive_registration;
};

// A test fails if a Net of ours logs a warning while it runs, unless allow_warnings() was called.
class NetConformance : public testing::TestWithParam<NetUnderTest> {
 protected:
  void SetUp() override;
  void TearDown() override;

  Net& net() { return *net_; }
  const NetCapabilities& capabilities() { return net_->devices().front().capabilities; }
  int device() const { return 0; }
  std::shared_ptr<Gpu> gpu() const { return GetParam().gpu ? GetParam().gpu() : nullptr; }
  // What a message has at least that meets a larger receive: a Net that does not tell sizes cannot
  // tell nothing from what was lost.
  std::size_t least_bytes() { return capabilities().reports_received_bytes ? 0 : 1; }
  // At most `limit` bytes that one request may have.
  std::size_t request_bytes(std::size_t limit);

  // nullptr, and a test failure, where it does not come about. Callable from any thread.
  std::unique_ptr<Channel> make_channel(std::size_t bytes);

  void allow_warnings() { warnings_allowed_ = true; }

 private:
  std::shared_ptr<Net> net_;
  bool warnings_allowed_ = false;
  std::mutex mutex_;  // guards warnings_
  std::vector<std::string> warnings_;
};

// Sends one message of `bytes`, pattern `seed`, and checks every byte and the guards.
void send_and_check(Channel& channel, std::size_t bytes, std::uint64_t seed);

// Of HAWSER_TEST_SEED where set; printed so that a failure can be had again.
std::uint64_t random_seed();

}  // namespace hawser::test
