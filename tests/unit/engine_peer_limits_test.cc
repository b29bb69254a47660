// What a hostile peer may make a link keep: each attack ends at the budget.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fd.h"
#include "engine/operations/operations.h"
#include "engine/peer_limits.h"
#include "support/engine_frames.h"
#include "support/scoped_env.h"

namespace hawser::engine {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kBytes = 1 << 20;
constexpr std::uint64_t kMany = 1 << 20;  // it is the bytes that are short

class EnginePeerLimits : public ::testing::Test {
 protected:
  // Until it is refused; how often it was not.
  template <class Make>
  std::size_t flood(Make make, std::uint64_t from = 1) {
    for (std::size_t i = 0; i < 200'000; ++i) {
      const Status taken = operations_.take_message(from + i, make(i));
      EXPECT_LE(budget_->used(), kBytes);
      if (!taken.ok()) {
        EXPECT_EQ(taken.error().code(), Code::peer);
        EXPECT_THAT(taken.error().message(), HasSubstr("a peer: more than 1048576 (a test)"));
        return i;
      }
      if (operations_.overrun()) return i;
    }
    return 200'000;
  }

  std::vector<wire::Record> sent() {
    frames_.emplace_back(wire::kFrameBytes);
    wire::FrameBuilder builder(frames_.back());
    std::vector<MessagePtr> messages;
    operations_.take_messages(builder, messages);
    if (messages.empty()) return {};
    frames_.back().resize(builder.finish().size());
    taken_.insert(taken_.end(), messages.begin(), messages.end());
    return *test::engine_wire::records_of(frames_.back());
  }

  RegionTable regions_;
  EventBell bell_;
  const std::shared_ptr<Budget> budget_ = Budget::make("a peer", "a test", kBytes);
  Operations operations_{regions_,
                         bell_,
                         [](std::uint64_t) {},
                         {.ending = Milliseconds(500),
                          .room_here = {kMany, kMany, kMany},
                          .room_there = {kMany, kMany, kMany},
                          .budget = budget_}};
  std::vector<std::vector<std::byte>> frames_;
  std::vector<MessagePtr> taken_;
  const std::vector<std::byte> much_ = std::vector<std::byte>(4096, std::byte{'x'});
};

TEST_F(EnginePeerLimits, MessagesThatNobodyReceives) {
  const std::size_t kept = flood([&](std::size_t i) {
    return wire::Send{i + 1, i, much_.size(), true, much_};
  });
  EXPECT_GT(kept, 256u) << "data that does not fit is no reason to end a link";
  EXPECT_LT(kept, 2000u);
}

TEST_F(EnginePeerLimits, NotificationsThatNobodyTakes) {
  EXPECT_LT(flood([&](std::size_t) { return wire::Notify{much_}; }), 300u);
  while (operations_.take_notification()) continue;
  EXPECT_EQ(budget_->used(), 0u);
}

TEST_F(EnginePeerLimits, WritesThatAreAnnouncedAndNeverCome) {
  EXPECT_LT(flood([&](std::size_t i) { return wire::Begin{i + 1, 1, much_}; }), 300u);
}

TEST_F(EnginePeerLimits, RegionsThatAreSaidToGoForAPeerThatDoesNotRead) {
  EXPECT_LT(flood([&](std::size_t) { return wire::Drain{}; }), 2500u);
  EXPECT_TRUE(operations_.overrun());
}

TEST_F(EnginePeerLimits, MessagesBeforeTheirTurn) {
  EXPECT_LT(flood([&](std::size_t) { return wire::Notify{much_}; }, 2), 300u);
}

TEST_F(EnginePeerLimits, FaultsForAPeerThatDoesNotRead) {
  EXPECT_LT(flood([&](std::size_t i) {
              wire::ReadRequest read = test::engine_wire::sample_read();
              read.sender_op = i + 1;
              return read;
            }),
            2500u);
  ASSERT_TRUE(operations_.overrun());
  EXPECT_EQ(operations_.overrun()->code(), Code::peer);
}

// And the peer sends it as one whose data was not there yet.
TEST_F(EnginePeerLimits, DataThatWasNotKeptIsAskedForWhenAReceiveMeetsIt) {
  constexpr std::uint64_t kMessages = 200;
  for (std::uint64_t i = 0; i < kMessages; ++i)
    ASSERT_TRUE(
        operations_.take_message(i + 1, wire::Send{i + 1, i, much_.size(), true, much_}).ok());
  std::vector<std::byte> into(much_.size());
  auto region = std::make_shared<LocalRegion>(wire::Key{}, MemoryRange{into.data(), into.size()},
                                              Rights::none, nullptr);
  const auto receive = [&](std::uint64_t tag) {
    const Block block{0, 0, into.size()};
    Request request{RegionUse::begin(region, LocalRegion::User::owner),
                    *BlockList::create(std::span(&block, 1), into.size(), into.size()), nullptr, 0};
    return operations_.receive({}, tag, std::move(request));
  };
  const auto kept = receive(0);
  EXPECT_TRUE(kept->done());
  EXPECT_EQ(into, much_);
  const auto asked_for = receive(kMessages - 1);
  EXPECT_FALSE(asked_for->done());
  bool ready = false;
  for (const wire::Record& record : sent())
    if (const auto* const it = std::get_if<wire::Ready>(&record)) ready = it->op == kMessages;
  EXPECT_TRUE(ready);
  operations_.end(Error(Code::cancelled, "the test is over"));
}

TEST_F(EnginePeerLimits, MessagesAheadOfALostOneAreBoundedInBytes) {
  std::vector<std::shared_ptr<TransferState>> all;
  constexpr int kNotifications = 6000;
  for (int i = 0; i < kNotifications; ++i)
    all.push_back(operations_.notify({}, std::string(much_.size(), 'x'), 0, false));
  while (!sent().empty()) continue;
  EXPECT_LE(taken_.size(), 4200u) << "16 MiB and one";
  EXPECT_GE(taken_.size(), 4000u);
  operations_.acknowledged({}, taken_);
  EXPECT_GT(sent().size(), 1u);
  operations_.end(Error(Code::cancelled, "the test is over"));
}

std::unique_ptr<PeerLimits> limits() {
  auto made = PeerLimits::create();
  return made.ok() ? std::move(*made) : nullptr;
}

TEST(EnginePeerAdmission, BoundsLinksAndDescriptorsOfAnAddress) {
  const auto all = limits();
  const std::uint64_t much = descriptor_limit();
  EXPECT_TRUE(all->admit({0, 0, 0}, 8).ok());
  const Status links = all->admit({256, 256, 256}, 8);
  EXPECT_EQ(links.error().code(), Code::peer);
  EXPECT_THAT(links.error().message(), HasSubstr("HAWSER_LINKS_PER_PEER"));
  EXPECT_TRUE(all->admit({1, much / 8 * 3 - 17, 0}, 8).ok());
  EXPECT_THAT(all->admit({1, much / 8 * 3 - 16, 0}, 8).error().message(),
              HasSubstr("HAWSER_PEER_DESCRIPTORS"));
  EXPECT_THAT(all->admit({1, 0, much / 2 - 16}, 8).error().message(),
              HasSubstr("HAWSER_ENGINE_DESCRIPTORS"));
  EXPECT_EQ(address_of_peer("[fd00::2]:4000"), "[fd00::2]");
}

TEST(EnginePeerAdmission, GoesByTheParametersWhereTheyAreSet) {
  const test::ScopedEnvironment few("HAWSER_PEER_DESCRIPTORS", "20");
  const test::ScopedEnvironment links("HAWSER_LINKS_PER_PEER", "2");
  const auto all = limits();
  EXPECT_TRUE(all->admit({1, 3, 3}, 8).ok());
  EXPECT_FALSE(all->admit({1, 4, 4}, 8).ok());
  EXPECT_FALSE(all->admit({2, 0, 0}, 1).ok());
}

TEST(EnginePeerAdmission, LinksOfOneAddressShareABudget) {
  const test::ScopedEnvironment of_link("HAWSER_LINK_PEER_BYTES", "67108864");
  const test::ScopedEnvironment of_peer("HAWSER_PEER_BYTES", "268435456");
  const auto all = limits();
  std::vector<Budget::Share> shares;
  for (int i = 0; i < 10; ++i)
    if (auto share = all->for_link("192.0.2.7:" + std::to_string(i))->try_take(60 << 20))
      shares.push_back(std::move(*share));
  EXPECT_EQ(shares.size(), 4u);
  EXPECT_TRUE(all->for_link("192.0.2.7:1")->try_take(1 << 20)) << "its own part";
  EXPECT_TRUE(all->for_link("192.0.2.8:1")->try_take(60 << 20));
}

}  // namespace
}  // namespace hawser::engine
