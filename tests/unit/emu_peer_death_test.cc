// What is seen of a peer that is gone: an error where the next message is waited for or announced,
// nothing at all in the middle of one. And what a send that is done says of the peer.
#include <gtest/gtest.h>

#include <utility>

#include "emu_place_test.h"

namespace hawser::emu_test {
namespace {

constexpr int kOneMessage = 100000;
constexpr int kMoreThanSocketsHold = 64 << 20;

// The result of a thousand polls, or the first that is not 0; -1: it is done.
int result_of_polls(const Pair& pair, void* request) {
  for (int i = 0; i < 1000; ++i) {
    int done = 0;
    if (const int result = pair.test(request, &done)) return result;
    if (done) return -1;
  }
  return 0;
}

struct Dying : Plugin {
  explicit Dying(const char* faults, const char* shown = "real")
      : Plugin(Environment{{"HAWSER_EMU_FAULTS", faults},
                           {"HAWSER_EMU_PEER_DEATH", shown},
                           {"NCCL_DYNAMIC_CHUNK_SIZE", std::to_string(kMoreThanSocketsHold)}}) {}
};

// A pair whose server dies in the middle of the first message, once it has got so far.
struct DeadInTheMiddle : Connected {
  explicit DeadInTheMiddle(Plugin& plugin) : Connected(plugin) {
    void* sending = nullptr;
    EXPECT_EQ(send(source.data(), kOneMessage, &sending), 0);
    EXPECT_EQ(receive(destination.data(), kOneMessage, &receiving), 0);
    int sent = 0;
    EXPECT_TRUE(eventually([&] { return test(sending, &sent) != 0 || sent; }));
    EXPECT_TRUE(eventually([&] {
      result = result_of_polls(*this, receiving);
      return result != 0 || plugin.stats().bytes_received == 50000;
    }));
  }
  void* receiving = nullptr;
  int result = 0;
};

TEST(EmuPeerDeath, IsNotSeenInTheMiddleOfAMessage) {
  Dying plugin("server:peer@0=die:50000");
  const DeadInTheMiddle pair(plugin);
  EXPECT_EQ(pair.result, 0);
  EXPECT_EQ(result_of_polls(pair, pair.receiving), 0);
}

TEST(EmuPeerDeath, IsSeenThereOnceAnotherIsWaitedFor) {
  Dying plugin("server:peer@0=die:50000");
  const DeadInTheMiddle pair(plugin);
  void* other = nullptr;
  ASSERT_EQ(pair.receive(pair.destination.data(), 10, &other), 0);
  EXPECT_EQ(result_of_polls(pair, pair.receiving), emu::kSystemError);
}

TEST(EmuPeerDeath, IsSeenWhereTheNextMessageIsWaitedFor) {
  Dying plugin("");
  Connected pair(plugin);
  ASSERT_EQ(plugin->close_send(std::exchange(pair.send_comm, nullptr)), 0);
  void* receiving = nullptr;
  ASSERT_EQ(pair.receive(pair.destination.data(), 10, &receiving), 0);
  EXPECT_TRUE(eventually([&] { return result_of_polls(pair, receiving) == emu::kSystemError; }));
}

// A pair that sends more than anybody takes.
struct SendsTooMuch : Pair {
  explicit SendsTooMuch(Plugin& plugin) : Pair(plugin) {
    source = PageBuffer(kMoreThanSocketsHold);
    EXPECT_TRUE(connect());
    EXPECT_EQ(send(source.data(), kMoreThanSocketsHold, &sending), 0);
    EXPECT_EQ(result_of_polls(*this, sending), 0);
    EXPECT_EQ(plugin->close_receive(std::exchange(receive_comm, nullptr)), 0);
    receive_registration = nullptr;
  }
  void* sending = nullptr;
};

TEST(EmuPeerDeath, IsNotSeenByASendThatIsHalfWritten) {
  Dying plugin("");
  const SendsTooMuch pair(plugin);
  EXPECT_EQ(result_of_polls(pair, pair.sending), 0);
  void* other = nullptr;
  ASSERT_EQ(pair.send(pair.source.data(), 10, &other), 0);
  EXPECT_TRUE(eventually([&] { return result_of_polls(pair, pair.sending) == emu::kSystemError; }));
}

TEST(EmuPeerDeath, IsWhatTheKnobSays) {
  for (const int code : {2, 3, 6}) {
    Dying plugin("server:peer@0=die:50000", std::to_string(code).c_str());
    EXPECT_EQ(DeadInTheMiddle(plugin).result, code);
  }
  Dying plugin("", "never");
  Connected pair(plugin);
  ASSERT_EQ(plugin->close_send(std::exchange(pair.send_comm, nullptr)), 0);
  void* receiving = nullptr;
  ASSERT_EQ(pair.receive(pair.destination.data(), 10, &receiving), 0);
  EXPECT_EQ(result_of_polls(pair, receiving), 0);
}

class EmuSent : public EmuPlaceTest {
 protected:
  void post(Plugin& plugin, Pair& pair, const DevicePages& memory, int bytes, void** sending) {
    ASSERT_EQ(plugin->reg_mr(pair.send_comm, memory.data(), bytes, emu::kPointerCuda, &sends_), 0);
    ASSERT_EQ(plugin->isend(pair.send_comm, memory.data(), bytes, 0, sends_, sending), 0);
  }
  void* sends_ = nullptr;
};

// The peer's kernel has it, and no receive was ever posted.
TEST_P(EmuSent, FromTheGpuIsDoneThoughNobodyHasReceivedIt) {
  Plugin plugin(environment);
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  const DevicePages memory(*gpu_, 8192);
  void* sending = nullptr;
  post(plugin, pair, memory, 8192, &sending);
  int done = 0;
  EXPECT_TRUE(eventually([&] { return pair.test(sending, &done) != 0 || done; }));
  EXPECT_EQ(plugin.stats().bytes_received, 0U);
}

TEST_P(EmuSent, FromTheGpuIsNotDoneBeforeThePeersKernelHasItAll) {
  environment["NCCL_DYNAMIC_CHUNK_SIZE"] = std::to_string(kMoreThanSocketsHold);
  Plugin plugin(environment);
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  const DevicePages memory(*gpu_, kMoreThanSocketsHold);
  void* sending = nullptr;
  post(plugin, pair, memory, kMoreThanSocketsHold, &sending);
  EXPECT_EQ(result_of_polls(pair, sending), 0);
}

INSTANTIATE_TEST_SUITE_P(Drivers, EmuSent, gpu_drivers(), gpu_driver_name);

}  // namespace
}  // namespace hawser::emu_test
