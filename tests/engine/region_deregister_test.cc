// Regions that go while transfers use them.
#include <future>

#include "engine/fixture.h"

namespace hawser::test {
namespace {

class RegionDeregister : public EngineTest {
 protected:
  std::size_t large() const { return 24 * variant().chunk() + 5; }
  // Waits until some of it has moved, or all.
  static void wait_for_some(const Transfer& transfer) {
    EXPECT_TRUE(eventually([&] { return transfer.done() || transfer.bytes_done() > 0; }));
  }
  // Nobody writes it any more: what it is now it stays, while the link goes on.
  void expect_left_alone(Memory& memory) {
    memory.wipe();
    const auto from = near_piece(1000);
    const auto to = far_piece(1000);
    for (int i = 0; i < 5; ++i) {
      ASSERT_OK(outcome(near().write(from->region.span(0, 1000), to->remote.at(0))));
      ASSERT_OK(outcome(far().write(to->region.span(0, 1000), from->remote.at(0))));
    }
    EXPECT_TRUE(memory.untouched_outside(0, 0));
  }
};

TEST_P(RegionDeregister, UseAfterwardsIsRefused) {
  const auto local = near_piece(100);
  const auto other = near_piece(100);
  const auto remote = far_piece(100);
  ASSERT_OK(outcome(near().write(local->region.span(0, 100), remote->remote.at(0))));
  ASSERT_OK(local->region.deregister());
  ASSERT_OK(local->region.deregister());
  EXPECT_CODE(outcome(near().write(local->region.span(0, 100), remote->remote.at(0))),
              Code::invalid_argument);
  EXPECT_CODE(outcome(near().recv(1, local->region.span(0, 100))), Code::invalid_argument);
  ASSERT_OK(remote->region.deregister());
  for (int i = 0; i < 50; ++i) {
    EXPECT_CODE(outcome(near().write(other->region.span(0, 100), remote->remote.at(0))),
                Code::invalid_argument);
    EXPECT_CODE(outcome(near().read(other->region.span(0, 100), remote->remote.at(0))),
                Code::invalid_argument);
  }
  expect_left_alone(remote->memory);
}

// Where the refusal and the acknowledgement of the refused data take different ways, neither may
// make the write look done.
TEST_P(RegionDeregister, NoWriteToItSucceedsEver) {
  const auto local = near_piece(64 * 1000);
  const auto gone = far_piece(64 * 1000);
  const auto there = far_piece(64 * 1000);
  ASSERT_OK(gone->region.deregister());
  for (int round = 0; round < 20; ++round) {
    std::vector<Transfer> refused, good;
    for (std::size_t i = 0; i < 64; ++i) {
      const std::size_t bytes = i % 2 == 0 ? 100 : 1000;
      refused.push_back(
          near().write(local->region.span(i * 1000, bytes), gone->remote.at(i * 1000)));
      good.push_back(near().write(local->region.span(i * 1000, bytes), there->remote.at(i * 1000)));
    }
    for (const Transfer& transfer : refused)
      ASSERT_FALSE(outcome(transfer).ok()) << "a write into nothing went well";
    for (const Transfer& transfer : good) ASSERT_OK(outcome(transfer));
  }
}

TEST_P(RegionDeregister, WaitsForTransfersOfItsOwner) {
  const auto here = near_piece(large());
  const auto there = far_piece(large());
  here->memory.fill(1);
  const Transfer write = near().write(here->region.span(0, large()), there->remote.at(0));
  ASSERT_OK(here->region.deregister(InFlight::wait, kPatienceMs));
  EXPECT_TRUE(write.done());
  ASSERT_OK(outcome(write));
  EXPECT_EQ(there->memory.mismatch(1, 0, large()), "");
}

// Whether or not any of it has arrived: it was asked for before.
TEST_P(RegionDeregister, WaitsForTransfersOfThePeer) {
  const auto there = far_piece(large());
  const auto seen = far_piece(large());
  there->memory.fill(2);
  for (const bool some : {false, true}) {
    const auto here = near_piece(2 * large());
    here->memory.fill(1, 0, large());
    const Transfer write = far().write(there->region.span(0, large()), here->remote.at(large()));
    const Transfer read = far().read(seen->region.span(0, large()), here->remote.at(0));
    if (some) wait_for_some(write);
    ASSERT_OK(here->region.deregister(InFlight::wait, kPatienceMs));
    EXPECT_OK(outcome(write));
    EXPECT_OK(outcome(read));
    EXPECT_CODE(outcome(far().write(there->region.span(0, 1), here->remote.at(0))),
                Code::invalid_argument);
    EXPECT_EQ(here->memory.mismatch(2, large(), large()), "");
    EXPECT_EQ(seen->memory.mismatch(1, 0, large()), "");
    expect_left_alone(here->memory);
  }
}

// Whoever comes second waits, too, and cuts nothing off.
TEST_P(RegionDeregister, WaitsTwiceAtOnce) {
  const auto there = far_piece(large());
  const auto here = near_piece(large());
  there->memory.fill(2);
  const Transfer write = far().write(there->region.span(0, large()), here->remote.at(0));
  auto first = std::async(std::launch::async, [&] { return here->region.deregister(); });
  EXPECT_OK(here->region.deregister());
  EXPECT_OK(first.get());
  EXPECT_OK(outcome(write));
  EXPECT_EQ(here->memory.mismatch(2, 0, large()), "");
}

// Of a link that is gone nobody answers, and none needs to.
TEST_P(RegionDeregister, WaitsForNoPeerThatIsGone) {
  const auto here = near_piece(1000);
  far().close();
  ASSERT_OK(here->region.deregister(InFlight::wait, kPatienceMs));
}

TEST_P(RegionDeregister, DoesNotWaitForAReceiveForGood) {
  const auto here = near_piece(1000);
  const auto there = far_piece(1000);
  const Transfer receive = near().recv(1, here->region.span(0, 1000));
  EXPECT_CODE(here->region.deregister(InFlight::wait, 30), Code::timeout);
  EXPECT_FALSE(receive.done());
  // It is refused all the same, and may be asked again.
  EXPECT_CODE(outcome(near().recv(1, here->region.span(0, 1000))), Code::invalid_argument);
  ASSERT_OK(outcome(far().send(1, there->region.span(0, 1000))));
  ASSERT_OK(outcome(receive));
  ASSERT_OK(here->region.deregister());
}

TEST_P(RegionDeregister, FailsTransfersOfItsOwner) {
  const auto there = far_piece(large());
  for (int kind = 0; kind < 4; ++kind) {
    SCOPED_TRACE(kind);
    const auto here = near_piece(large());
    Transfer transfer;
    if (kind == 0) transfer = near().write(here->region.span(0, large()), there->remote.at(0));
    if (kind == 1) transfer = near().read(here->region.span(0, large()), there->remote.at(0));
    if (kind == 2) transfer = near().send(1, here->region.span(0, large()));
    if (kind == 3) transfer = near().recv(1, here->region.span(0, large()));
    if (kind < 2) wait_for_some(transfer);
    ASSERT_OK(here->region.deregister(InFlight::fail, kPatienceMs));
    EXPECT_TRUE(transfer.done());
    if (const Status came = outcome(transfer); kind > 1 || !came.ok())
      EXPECT_CODE(came, Code::cancelled);
    expect_left_alone(here->memory);
  }
}

TEST_P(RegionDeregister, FailsTransfersOfThePeer) {
  const auto here = near_piece(large());
  for (const bool write : {true, false}) {
    const auto there = far_piece(large());
    const Transfer transfer = write
                                  ? near().write(here->region.span(0, large()), there->remote.at(0))
                                  : near().read(here->region.span(0, large()), there->remote.at(0));
    wait_for_some(transfer);
    ASSERT_OK(there->region.deregister(InFlight::fail, kPatienceMs));
    there->memory.wipe();
    static_cast<void>(outcome(transfer));  // either, but it ends
    expect_left_alone(there->memory);
  }
}

// As a buffer pool does it: register, use, deregister, in several threads, over and over.
TEST_P(RegionDeregister, InManyThreadsWhileOthersUseTheLink) {
  const auto there = far_piece(4 * 5000);
  std::vector<std::future<void>> threads;
  for (std::size_t thread = 0; thread < 4; ++thread) {
    threads.push_back(std::async(std::launch::async, [&, thread] {
      for (std::size_t round = 0; round < 25; ++round) {
        const auto here = near_piece(5000);
        here->memory.fill(thread * 100 + round);
        ASSERT_OK(outcome(near().write(here->region.span(0, 100 + 190 * round),
                                       there->remote.at(thread * 5000))));
        ASSERT_EQ(there->memory.mismatch(thread * 100 + round, thread * 5000, 100 + 190 * round),
                  "");
        ASSERT_OK(here->region.deregister());
      }
    }));
  }
  for (auto& thread : threads) thread.get();
}

HAWSER_ENGINE_SUITE(RegionDeregister);

}  // namespace
}  // namespace hawser::test
