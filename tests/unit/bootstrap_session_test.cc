#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "bootstrap/session.h"
#include "support/bootstrap_fixture.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using test::connected_pair;
using test::RawPeer;
using ::testing::HasSubstr;

constexpr auto kLong = 20s;

// Collects what a session tells. Thread-safe; must outlive the session.
class Listening {
 public:
  Session::Handler handler() {
    return {[this](wire::Message message) {
              const std::lock_guard lock(mutex_);
              messages_.push_back(std::move(message));
              changed_.notify_all();
            },
            [this](Error error) {
              const std::lock_guard lock(mutex_);
              losses_.push_back(std::move(error));
              changed_.notify_all();
            }};
  }
  bool wait_for_messages(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLong, [&] { return messages_.size() >= count; });
  }
  bool wait_for_loss() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLong, [&] { return !losses_.empty(); });
  }
  std::vector<wire::Message> messages() {
    const std::lock_guard lock(mutex_);
    return messages_;
  }
  std::vector<Error> losses() {
    const std::lock_guard lock(mutex_);
    return losses_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<wire::Message> messages_;
  std::vector<Error> losses_;
};

std::unique_ptr<Session> start(UniqueFd socket, Listening& listening,
                               Session::Options options = {}) {
  auto session =
      Session::start(std::move(socket), "the peer", wire::Decoder(), options, listening.handler());
  EXPECT_TRUE(session.ok());
  return session.ok() ? std::move(*session) : nullptr;
}

TEST(ControlSession, MessagesArriveInOrderBothWays) {
  auto [left, right] = connected_pair();
  Listening at_left;
  Listening at_right;
  auto one = start(std::move(left), at_left);
  auto other = start(std::move(right), at_right);
  for (std::uint32_t id = 0; id < 100; ++id) {
    ASSERT_TRUE(one->send(wire::Barrier{id}).ok());
    ASSERT_TRUE(other->send(wire::Barrier{1000 + id}).ok());
  }
  ASSERT_TRUE(at_left.wait_for_messages(100));
  ASSERT_TRUE(at_right.wait_for_messages(100));
  for (std::uint32_t id = 0; id < 100; ++id) {
    EXPECT_EQ(std::get<wire::Barrier>(at_right.messages()[id]).id, id);
    EXPECT_EQ(std::get<wire::Barrier>(at_left.messages()[id]).id, 1000 + id);
  }
  one->expect_close();
  other->expect_close();
  one.reset();
  other.reset();
  EXPECT_TRUE(at_left.losses().empty());
  EXPECT_TRUE(at_right.losses().empty());
}

}  // namespace
}  // namespace hawser
