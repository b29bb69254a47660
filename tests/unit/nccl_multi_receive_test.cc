// Receives of several buffers: each message goes where its tag belongs, whatever the order, and no
// tag that runs ahead keeps another from coming.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>

#include "support/guarded_buffer.h"
#include "support/nccl_plugin.h"
#include "support/seed.h"

namespace hawser::test {
namespace {

constexpr std::size_t kSlot = 8192;
constexpr std::size_t kMemory = std::size_t{16} << 20;

// Offers sends until all are taken, each tag's in their order, and polls everything meanwhile.
class Exchange {
 public:
  explicit Exchange(PluginPair& pair) : pair_(pair) {}

  struct Message {
    std::size_t offset;
    std::size_t bytes;
  };
  void want_to_send(int tag, Message message) { waiting_[tag].push_back(message); }
  void poll(void* request) { requests_.push_back(request); }

  // True: one more went out.
  bool offer(int tag) {
    auto& queue = waiting_[tag];
    if (queue.empty()) return false;
    void* const request = pair_.send(queue.front().offset, queue.front().bytes, tag);
    if (request == nullptr) return false;
    queue.pop_front();
    requests_.push_back(request);
    return true;
  }

  void poll_once() {
    std::erase_if(requests_, [&](void* request) { return plugin_done(pair_, request); });
  }

  bool finish() {
    const Deadline deadline = Deadline::after(kPluginPatience);
    for (Backoff backoff; !deadline.expired() && !testing::Test::HasFailure(); backoff.idle()) {
      bool all_out = true;
      for (auto& [tag, queue] : waiting_) {
        while (offer(tag)) {
        }
        all_out = all_out && queue.empty();
      }
      poll_once();
      if (all_out && requests_.empty()) return true;
    }
    for (auto& [tag, queue] : waiting_)
      ADD_FAILURE() << queue.size() << " of tag " << tag << " still wait, " << requests_.size()
                    << " requests";
    return false;
  }

 private:
  PluginPair& pair_;
  std::map<int, std::deque<Message>> waiting_;
  std::vector<void*> requests_;
};

class PluginMultiReceive : public testing::Test {
 protected:
  void expect_slot(std::size_t slot, std::size_t bytes, std::uint64_t seed) {
    EXPECT_EQ(pattern_mismatch({pair_.to(slot * kSlot), bytes}, seed), "") << "slot " << slot;
  }
  void fill_slot(std::size_t slot, std::size_t bytes, std::uint64_t seed) {
    fill_pattern({pair_.from(slot * kSlot), bytes}, seed);
  }

  const PluginUser user_;
  PluginPair pair_{user_, kMemory};
  Exchange exchange_{pair_};
};

TEST_F(PluginMultiReceive, EightBuffersAreFilledByTagInAnyOrder) {
  std::vector<PluginPair::Buffer> buffers;
  for (std::size_t i = 0; i < 8; ++i) {
    fill_slot(i, 100 + i, i);
    buffers.push_back({i * kSlot, kSlot, static_cast<int>(10 + i)});
  }
  void* const receive = pair_.receive(buffers);
  ASSERT_NE(receive, nullptr);
  for (std::size_t i = 8; i-- > 0;)
    exchange_.want_to_send(static_cast<int>(10 + i), {i * kSlot, 100 + i});
  std::vector<int> sizes(8, -1);
  const Deadline deadline = Deadline::after(kPluginPatience);
  for (Backoff backoff; !plugin_done(pair_, receive, sizes.data()); backoff.idle()) {
    ASSERT_FALSE(deadline.expired());
    for (int tag = 17; tag >= 10; --tag) exchange_.offer(tag);
    exchange_.poll_once();
  }
  ASSERT_TRUE(exchange_.finish());
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(sizes[i], static_cast<int>(100 + i));
    expect_slot(i, 100 + i, i);
  }
}

TEST_F(PluginMultiReceive, TwoBuffersOfOneTagAreFilledInTurn) {
  fill_slot(0, 50, 1);
  fill_slot(1, 60, 2);
  exchange_.poll(pair_.receive({{0, kSlot, 5}, {kSlot, kSlot, 5}}));
  exchange_.want_to_send(5, {0, 50});
  exchange_.want_to_send(5, {kSlot, 60});
  ASSERT_TRUE(exchange_.finish());
  expect_slot(0, 50, 1);
  expect_slot(1, 60, 2);
}

TEST_F(PluginMultiReceive, MessagesWithoutBytesFillABuffer) {
  exchange_.poll(pair_.receive({{0, kSlot, 1}, {kSlot, kSlot, 2}, {2 * kSlot, 0, 3}}));
  for (const int tag : {3, 1, 2}) exchange_.want_to_send(tag, {0, 0});
  EXPECT_TRUE(exchange_.finish());
}

// What would stop for ever if sends went out as they come: the first tag's messages would fill the
// stream before the other's, while the receiver posts a second round only after the first.
TEST_F(PluginMultiReceive, ATagThatRunsAheadDoesNotKeepTheOtherFromComing) {
  constexpr std::size_t kRounds = 100;
  for (std::size_t round = 0; round < kRounds; ++round) {
    fill_slot(2 * round, kSlot, 2 * round);
    fill_slot(2 * round + 1, kSlot, 2 * round + 1);
    exchange_.want_to_send(1, {2 * round * kSlot, kSlot});
  }
  for (int i = 0; i < 20; ++i) exchange_.offer(1);  // before anything is received, or the gate open
  for (std::size_t round = 0; round < kRounds; ++round) {
    exchange_.want_to_send(2, {(2 * round + 1) * kSlot, kSlot});
    void* const receive =
        pair_.receive({{2 * round * kSlot, kSlot, 1}, {(2 * round + 1) * kSlot, kSlot, 2}});
    ASSERT_NE(receive, nullptr);
    const Deadline deadline = Deadline::after(kPluginPatience);
    for (Backoff backoff; !plugin_done(pair_, receive); backoff.idle()) {
      ASSERT_FALSE(deadline.expired()) << round;
      for (int i = 0; i < 3; ++i) exchange_.offer(1);
      exchange_.offer(2);
      exchange_.poll_once();
    }
  }
  ASSERT_TRUE(exchange_.finish());
  for (std::size_t slot = 0; slot < 2 * kRounds; ++slot) expect_slot(slot, kSlot, slot);
}

// One buffer at a time, two tags, and the sender ready in another order than the receiver.
TEST_F(PluginMultiReceive, SingleReceivesOfDifferentTagsWaitForTheirOwn) {
  fill_slot(0, 70, 1);
  fill_slot(1, 80, 2);
  exchange_.poll(pair_.receive({{0, kSlot, 1}}));
  exchange_.poll(pair_.receive({{kSlot, kSlot, 2}}));
  exchange_.want_to_send(2, {kSlot, 80});
  exchange_.want_to_send(1, {0, 70});
  exchange_.offer(2);
  ASSERT_TRUE(exchange_.finish());
  expect_slot(0, 70, 1);
  expect_slot(1, 80, 2);
}

// What is sent before the gate opens may fill a later receive first; its place is used again.
TEST_F(PluginMultiReceive, ALaterReceiveMayBeDoneFirst) {
  for (std::size_t slot = 0; slot < 5; ++slot) fill_slot(slot, 100 + slot, slot);
  for (const std::size_t slot : {0, 1}) {
    exchange_.want_to_send(1, {slot * kSlot, 100 + slot});
    ASSERT_TRUE(exchange_.offer(1));
  }
  const auto receive = [&](std::size_t slot, int tag) {
    return pair_.receive({{slot * kSlot, kSlot, tag}});
  };
  exchange_.poll(receive(2, 2));
  void* const first = receive(0, 1);
  void* const second = receive(1, 1);
  for (void* const early : {first, second}) {
    const Deadline deadline = Deadline::after(kPluginPatience);
    for (Backoff backoff; !plugin_done(pair_, early); backoff.idle()) {
      ASSERT_FALSE(deadline.expired() || HasFailure());
      exchange_.poll_once();
    }
  }
  exchange_.poll(receive(3, 1));
  exchange_.poll(receive(4, 1));
  exchange_.want_to_send(2, {2 * kSlot, 102});
  for (const std::size_t slot : {3, 4}) exchange_.want_to_send(1, {slot * kSlot, 100 + slot});
  ASSERT_TRUE(exchange_.finish());
  for (std::size_t slot = 0; slot < 5; ++slot) expect_slot(slot, 100 + slot, slot);
}

TEST_F(PluginMultiReceive, AReceiveThatIsTooSmallFailsTheComm) {
  void* const receive = pair_.receive({{0, kSlot, 1}, {kSlot, 10, 2}});
  ASSERT_NE(receive, nullptr);
  void* send = nullptr;
  int sent = 0;
  int result = abi::kSuccess;
  const Deadline deadline = Deadline::after(kPluginPatience);
  for (Backoff backoff; result == abi::kSuccess && !deadline.expired(); backoff.idle()) {
    int done = 0;
    // The sender may hear of it, too: what it answers is not looked at here.
    if (send == nullptr)
      static_cast<void>(pair_.try_send(0, 100, 2, &send));
    else if (!sent)
      static_cast<void>(pair_.plugin()->test(send, &sent, nullptr));
    result = pair_.plugin()->test(receive, &done, nullptr);
  }
  EXPECT_EQ(result, abi::kRemoteError);
}

// Its buffers wait for messages; a registration that is gone when they come is an error, no crash.
TEST_F(PluginMultiReceive, ARegistrationThatIsDroppedMeanwhileFailsTheComm) {
  void* mhandle = nullptr;
  ASSERT_EQ(
      pair_.plugin()->regMr(pair_.receiver(), pair_.to(0), 2 * kSlot, abi::kHostPointer, &mhandle),
      abi::kSuccess);
  void* data[] = {pair_.to(0), pair_.to(kSlot)};
  std::size_t bytes[] = {kSlot, kSlot};
  int tags[] = {1, 2};
  void* handles[] = {mhandle, mhandle};
  void* receive = nullptr;
  ASSERT_EQ(
      pair_.plugin()->irecv(pair_.receiver(), 2, data, bytes, tags, handles, nullptr, &receive),
      abi::kSuccess);
  ASSERT_EQ(pair_.plugin()->deregMr(pair_.receiver(), mhandle), abi::kSuccess);
  exchange_.want_to_send(1, {0, 100});
  ASSERT_TRUE(exchange_.offer(1));  // of the stream: only the other one is announced
  exchange_.want_to_send(2, {0, 100});
  int result = abi::kSuccess;
  const Deadline deadline = Deadline::after(kPluginPatience);
  for (Backoff backoff; result == abi::kSuccess && !deadline.expired(); backoff.idle()) {
    int done = 0;
    exchange_.offer(2);
    exchange_.poll_once();
    result = pair_.plugin()->test(receive, &done, nullptr);
  }
  EXPECT_EQ(result, abi::kInvalidArgument);
}

// Receives of one to eight buffers and messages of all tags, in random order and of random sizes.
TEST_F(PluginMultiReceive, RandomOrdersComeOutRight) {
  std::mt19937_64 random(seed_of_this_run());
  constexpr std::size_t kReceives = 300;
  std::vector<std::size_t> sizes;
  std::deque<void*> receives;
  std::size_t slot = 0;
  for (std::size_t i = 0; i < kReceives; ++i) {
    std::vector<PluginPair::Buffer> buffers;
    for (std::size_t n = 1 + random() % 8; buffers.size() < n; ++slot) {
      const int tag = static_cast<int>(random() % 5);
      sizes.push_back(random() % (kSlot + 1));
      fill_slot(slot, sizes[slot], slot);
      exchange_.want_to_send(tag, {slot * kSlot, sizes[slot]});
      buffers.push_back({slot * kSlot, kSlot, tag});
    }
    void* receive = nullptr;
    const Deadline deadline = Deadline::after(kPluginPatience);
    for (Backoff backoff; (receive = pair_.receive(buffers)) == nullptr; backoff.idle()) {
      ASSERT_FALSE(deadline.expired() || HasFailure());
      for (int k = 0; k < 4; ++k) exchange_.offer(static_cast<int>(random() % 5));
      exchange_.poll_once();
    }
    exchange_.poll(receive);
    for (std::size_t k = random() % 16; k > 0; --k) exchange_.offer(static_cast<int>(random() % 5));
    exchange_.poll_once();
  }
  ASSERT_TRUE(exchange_.finish());
  for (std::size_t i = 0; i < slot; ++i) expect_slot(i, sizes[i], i);
}

}  // namespace
}  // namespace hawser::test
