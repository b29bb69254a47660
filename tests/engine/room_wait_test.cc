// More messages, reads and notifications than the peer has room for wait, and hold up nothing else.
#include <algorithm>
#include <future>
#include <set>

#include "engine/fixture.h"
#include "support/scoped_env.h"

namespace hawser::test {
namespace {

constexpr std::size_t kRoom = 16;
constexpr std::size_t kMany = 600;
constexpr std::size_t kSmall = 64;
constexpr std::size_t kLarge = 16 << 20;

// Two engines that have room for little, and a link.
class RoomWait : public testing::Test {
 protected:
  void SetUp() override {
    set_environment(plain_variant());
    for (auto* const engine : {&client_, &server_}) {
      auto made = make_engine(plain_variant(), Role::client);
      ASSERT_OK(made);
      *engine = *made;
    }
    auto acceptor = server_->listen("127.0.0.1", 0);
    ASSERT_OK(acceptor);
    auto connecting = std::async(
        std::launch::async, [&] { return client_->connect("127.0.0.1", (*acceptor)->port()); });
    auto accepted = (*acceptor)->accept(kPatienceMs);
    auto connected = connecting.get();
    ASSERT_OK(connected);
    ASSERT_OK(accepted);
    near_ = *connected;
    far_ = *accepted;
    here_ = std::make_unique<Piece>(*client_, Place::host, kMany * kSmall);
    there_ = std::make_unique<Piece>(*server_, Place::host, kMany * kSmall);
    for (std::size_t i = 0; i < kMany; ++i) here_->memory.fill(i, i * kSmall, kSmall);
  }
  void TearDown() override {
    near_.close();
    far_.close();
  }

  Transfer send(std::uint64_t tag, std::size_t i, const TransferOptions& options = {}) {
    return near_.send(tag, here_->region.span(i * kSmall, kSmall), options);
  }
  Transfer receive(std::uint64_t tag, std::size_t i) {
    return far_.recv(tag, there_->region.span(i * kSmall, kSmall));
  }
  void expect_arrived(std::size_t i) {
    EXPECT_EQ(there_->memory.mismatch(i, i * kSmall, kSmall), "") << i;
  }
  std::vector<Transfer> send_all(std::uint64_t tags = 1) {
    std::vector<Transfer> sends;
    for (std::size_t i = 0; i < kMany; ++i) sends.push_back(send(i % tags, i));
    return sends;
  }
  void expect_waiting(std::size_t count) {
    EXPECT_TRUE(eventually([&] { return near_.report().waiting_for_room == count; }))
        << near_.report().waiting_for_room << ", not " << count;
  }
  // What has nothing to do with what waits.
  void expect_others_go_on() {
    const Piece from(*client_, Place::host, kLarge), to(*server_, Place::host, kLarge);
    Memory& memory = const_cast<Memory&>(from.memory);
    memory.fill(5);
    EXPECT_OK(outcome(near_.write(from.region.span(0, kLarge), to.remote.at(0))));
    EXPECT_EQ(to.memory.mismatch(5, 0, kLarge), "");
    EXPECT_OK(outcome(near_.read(from.region.span(0, kLarge), to.remote.at(0))));
    EXPECT_TRUE(near_.up() && far_.up());
  }
  static std::size_t done(const std::vector<Transfer>& transfers) {
    return static_cast<std::size_t>(
        std::ranges::count_if(transfers, [](const Transfer& it) { return it.done(); }));
  }

  const std::string text_ = std::to_string(kRoom);
  const ScopedEnvironment messages_{"HAWSER_MAX_MESSAGES", text_.c_str()};
  const ScopedEnvironment reads_{"HAWSER_MAX_READS", text_.c_str()};
  const ScopedEnvironment notifications_{"HAWSER_MAX_NOTIFICATIONS", text_.c_str()};
  std::shared_ptr<Engine> client_, server_;
  Link near_, far_;
  std::unique_ptr<Piece> here_, there_;
};

TEST_F(RoomWait, MessagesThatNobodyReceivesYet) {
  const std::vector<Transfer> sends = send_all(3);
  expect_waiting(kMany - kRoom);
  expect_others_go_on();
  EXPECT_OK(outcome(near_.notify("beside")));
  EXPECT_EQ(done(sends), 0u);
  for (std::size_t i = 0; i < kMany; ++i) {
    const Transfer received = receive(i % 3, i);
    ASSERT_OK(outcome(received));
    expect_arrived(i);
  }
  for (const Transfer& send : sends) ASSERT_OK(outcome(send));
  expect_waiting(0);
}

// They are this side's own, and take nobody's room.
TEST_F(RoomWait, ReceivesMayBePostedWithoutLimit) {
  std::vector<Transfer> receives;
  for (std::size_t i = 0; i < kMany; ++i) receives.push_back(receive(0, i));
  const std::vector<Transfer> sends = send_all();
  for (std::size_t i = 0; i < kMany; ++i) {
    ASSERT_OK(outcome(receives[i]));
    ASSERT_OK(outcome(sends[i]));
    expect_arrived(i);
  }
}

TEST_F(RoomWait, NotificationsThatNobodyTakesYet) {
  std::vector<Transfer> told;
  for (std::size_t i = 0; i < kMany; ++i) told.push_back(near_.notify(std::to_string(i)));
  expect_waiting(kMany - kRoom);
  expect_others_go_on();
  EXPECT_LE(done(told), kRoom);
  for (std::size_t i = 0; i < kMany; ++i) ASSERT_EQ(next_notification(far_), std::to_string(i));
  for (const Transfer& transfer : told) ASSERT_OK(outcome(transfer));
}

// The notification of a write comes behind its data, also of one that had to wait.
TEST_F(RoomWait, WritesWithNotificationsThatNobodyTakesYet) {
  std::vector<Transfer> writes;
  for (std::size_t i = 0; i < kMany; ++i) {
    TransferOptions options;
    options.notification = std::to_string(i);
    writes.push_back(near_.write(here_->region.span(i * kSmall, kSmall),
                                 there_->remote.at(i * kSmall), options));
  }
  const Transfer last = near_.notify("last");
  expect_others_go_on();
  EXPECT_LE(done(writes), kRoom);
  std::set<std::string> told;
  for (std::size_t i = 0; i < kMany; ++i) {
    const std::string text = next_notification(far_);
    ASSERT_TRUE(told.insert(text).second) << text;
    ASSERT_NE(text, "last");
    expect_arrived(std::stoul(text));
  }
  EXPECT_EQ(next_notification(far_), "last");
  for (const Transfer& write : writes) ASSERT_OK(outcome(write));
  ASSERT_OK(outcome(last));
}

TEST_F(RoomWait, ReadsOfManyPartsAndManyReads) {
  std::vector<Block> pieces;
  for (std::size_t i = 0; i < kMany * kSmall / 2; ++i) pieces.push_back({2 * i, 2 * i, 1});
  const Piece back(*client_, Place::host, kMany * kSmall);
  ASSERT_OK(outcome(near_.write(here_->region.span(0, kMany * kSmall), there_->remote.at(0))));
  const Transfer parts = near_.read(back.region, there_->remote, pieces);
  std::vector<Transfer> reads;
  const Piece whole(*client_, Place::host, kMany * kSmall);
  for (std::size_t i = 0; i < kMany; ++i)
    reads.push_back(
        near_.read(whole.region.span(i * kSmall, kSmall), there_->remote.at(i * kSmall)));
  ASSERT_OK(outcome(parts));
  for (const Transfer& read : reads) ASSERT_OK(outcome(read));
  for (std::size_t i = 0; i < kMany; ++i)
    ASSERT_EQ(whole.memory.mismatch(i, i * kSmall, kSmall), "") << i;
  const auto expected = here_->memory.get(0, kMany * kSmall),
             got = back.memory.get(0, kMany * kSmall);
  for (std::size_t i = 0; i < expected.size(); i += 2) ASSERT_EQ(got[i], expected[i]) << i;
}

TEST_F(RoomWait, OnlyIfThereIsRoom) {
  TransferOptions only;
  only.only_if_room = true;
  std::vector<Transfer> sends, told;
  for (std::size_t i = 0; i < kRoom; ++i) {
    sends.push_back(send(1, i, only));
    told.push_back(near_.notify("x", only));
  }
  const Transfer refused[] = {send(1, kRoom, only), near_.notify("y", only)};
  for (const Transfer& transfer : refused) {
    ASSERT_TRUE(transfer.done()) << "it was not to wait";
    EXPECT_CODE(transfer.result(), Code::timeout);
    EXPECT_NE(transfer.result().error().message().find("only_if_room"), std::string::npos);
  }
  for (const Transfer& transfer : told) ASSERT_OK(outcome(transfer));
  for (std::size_t i = 0; i < kRoom; ++i) {
    ASSERT_OK(outcome(receive(1, i)));
    ASSERT_OK(outcome(sends[i]));
    EXPECT_EQ(next_notification(far_), "x");
  }
  EXPECT_TRUE(eventually([&] {
    const Transfer again = near_.notify("z", only);
    return outcome(again).ok();
  })) << "there is room again";
  EXPECT_EQ(next_notification(far_), "z");
  only.notification = "no";
  EXPECT_CODE(near_.notify("y", only).result(), Code::invalid_argument);
}

TEST_F(RoomWait, CancelAndTimeLimitsAreBounds) {
  const std::vector<Transfer> sends = send_all();
  std::vector<Transfer> told;
  for (std::size_t i = 0; i < 2 * kRoom; ++i) told.push_back(near_.notify("x"));
  TransferOptions soon;
  soon.timeout_ms = 30;
  const Transfer late[] = {send(1, 0, soon), near_.notify("late", soon)};
  for (const Transfer& transfer : late) EXPECT_CODE(outcome(transfer), Code::timeout);
  for (const Transfer& transfer : {sends[kMany - 1], told[2 * kRoom - 1]}) {
    transfer.cancel();
    EXPECT_CODE(outcome(transfer), Code::cancelled);
  }
  // What had room has it still, and those behind take their turn.
  for (std::size_t i = 0; i + 1 < kMany; ++i) {
    ASSERT_OK(outcome(receive(0, i)));
    expect_arrived(i);
  }
  for (std::size_t i = 0; i + 1 < 2 * kRoom; ++i) EXPECT_EQ(next_notification(far_), "x");
  EXPECT_FALSE(far_.take_notification());
}

TEST_F(RoomWait, ARegionOfWhatWaitsCanBeDeregistered) {
  const std::vector<Transfer> sends = send_all();
  ASSERT_OK(here_->region.deregister(InFlight::fail));
  for (const Transfer& send : sends) EXPECT_CODE(outcome(send), Code::cancelled);
  expect_waiting(0);
}

TEST_F(RoomWait, CloseEndsWhatWaits) {
  const std::vector<Transfer> sends = send_all();
  near_.close();
  for (const Transfer& send : sends) EXPECT_CODE(outcome(send), Code::cancelled);
}

TEST_F(RoomWait, CloseWaitsForWhatWaits) {
  std::vector<Transfer> told;
  for (std::size_t i = 0; i < 5 * kRoom; ++i) told.push_back(near_.notify(std::to_string(i)));
  auto closing = std::async(std::launch::async, [&] { near_.close(kPatienceMs); });
  for (std::size_t i = 0; i < 5 * kRoom; ++i) ASSERT_EQ(next_notification(far_), std::to_string(i));
  closing.get();
  for (const Transfer& transfer : told) EXPECT_OK(outcome(transfer));
}

TEST(RoomParameters, AreCheckedWhenAnEngineIsMade) {
  set_environment(plain_variant());
  for (const char* const name :
       {"HAWSER_MAX_MESSAGES", "HAWSER_MAX_READS", "HAWSER_MAX_NOTIFICATIONS"})
    for (const char* const value : {"0", "-1", "many", "1048577"}) {
      const ScopedEnvironment env(name, value);
      const auto made = make_engine(plain_variant(), Role::client);
      EXPECT_CODE(made, Code::invalid_argument);
      EXPECT_NE(made.error().message().find(name), std::string::npos);
    }
}

}  // namespace
}  // namespace hawser::test
