// Links and engines that end while there is something under way.
#include <thread>

#include "engine/fixture.h"

namespace hawser::test {
namespace {

class StopClose : public EngineTest {
 protected:
  struct Pending {
    std::vector<Transfer> here, there;
  };
  // Of each kind: some that can end, and some that nobody will ever meet.
  Pending pending() {
    const std::size_t bytes = 8 * variant().chunk();
    here_ = near_piece(4 * bytes);
    there_ = far_piece(4 * bytes);
    Pending all;
    const auto submit = [&](const Link& link, const Piece& own, const Piece& other,
                            std::vector<Transfer>& into) {
      into.push_back(link.write(own.region.span(0, bytes), other.remote.at(bytes)));
      into.push_back(link.read(own.region.span(2 * bytes, bytes), other.remote.at(0)));
      into.push_back(link.notify("some"));
      into.push_back(link.recv(99, own.region.span(3 * bytes, 10)));
      into.push_back(link.send(98, own.region.span(0, 10)));
      into.push_back(link.send(97, own.region.span(0, bytes)));
    };
    submit(near(), *here_, *there_, all.here);
    submit(far(), *there_, *here_, all.there);
    return all;
  }
  // All have ended, those that nobody meets with that.
  static void expect_ended(const std::vector<Transfer>& transfers, Code code) {
    for (std::size_t i = 0; i < transfers.size(); ++i) {
      const Status came = outcome(transfers[i]);
      if (i > 2 || !came.ok()) EXPECT_CODE(came, code);
    }
  }

  std::unique_ptr<Piece> here_, there_;
};

TEST_P(StopClose, OfALinkWithTransfersUnderWay) {
  const Pending all = pending();
  near().close();
  for (const Transfer& transfer : all.here) EXPECT_TRUE(transfer.done());
  expect_ended(all.here, Code::cancelled);
  expect_ended(all.there, Code::peer);
  EXPECT_FALSE(near().up());
  EXPECT_CODE(near().status(), Code::cancelled);
  EXPECT_TRUE(eventually([&] { return !far().up(); }));
  EXPECT_CODE(far().status(), Code::peer);
  EXPECT_FALSE(far().report().reason.empty());
  // Whoever asks now is told the same.
  EXPECT_CODE(outcome(near().notify("late")), Code::cancelled);
  EXPECT_CODE(outcome(far().recv(1, there_->region.span(0, 1))), Code::peer);
  EXPECT_OK(here_->region.deregister());
  EXPECT_OK(there_->region.deregister());
}

TEST_P(StopClose, WaitsForWhatIsUnderWay) {
  const std::size_t bytes = 16 * variant().chunk();
  const auto from = near_piece(bytes);
  const auto to = far_piece(bytes);
  from->memory.fill(1);
  const Transfer write = near().write(from->region.span(0, bytes), to->remote.at(0));
  const Transfer told = near().notify("written");
  near().close(kPatienceMs);
  EXPECT_OK(outcome(write));
  EXPECT_OK(outcome(told));
  EXPECT_EQ(to->memory.mismatch(1, 0, bytes), "");
  // What has come can still be taken.
  EXPECT_EQ(next_notification(far()), "written");
}

// Who has received a message and closes, orderly, does not make it fail for its sender.
// Also over a TCPX-like plugin, which drops what it has when its peer closes.
TEST_P(StopClose, AfterAReceiveTheSenderHearsOfIt) {
  const auto from = near_piece(100'000);
  const auto to = far_piece(100'000);
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{10}, std::size_t{100'000}}) {
    for (int round = 0; round < 10; ++round) {
      const Links links = make_links();
      const Transfer send = links.near.send(1, from->region.span(0, bytes));
      ASSERT_OK(outcome(links.far.recv(1, to->region.span(0, bytes))));
      links.far.close(kPatienceMs);
      ASSERT_OK(outcome(send));
      links.near.close();
    }
  }
}

TEST_P(StopClose, OfOneLinkLeavesOthersAlone) {
  const Links other = make_links();
  const Pending all = pending();
  const auto from = near_piece(1000);
  const auto to = far_piece(1000);
  const Transfer receive = other.far.recv(1, to->region.span(0, 1000));
  near().close();
  ASSERT_OK(outcome(other.near.send(1, from->region.span(0, 1000))));
  ASSERT_OK(outcome(receive));
  EXPECT_TRUE(other.near.up());
  expect_ended(all.there, Code::peer);
  other.near.close();
}

TEST_P(StopClose, OfAnEngineWithTransfersUnderWay) {
  if (variant().kept) GTEST_SKIP() << "this library can be loaded once: its engines stay";
  const Pending all = pending();
  destroy_client();
  for (const Transfer& transfer : all.here) EXPECT_TRUE(transfer.done());
  expect_ended(all.here, Code::cancelled);
  expect_ended(all.there, Code::peer);
  EXPECT_CODE(outcome(near().notify("late")), Code::cancelled);
  EXPECT_OK(here_->region.deregister());
  EXPECT_OK(there_->region.deregister());
  destroy_server();
  near().close();
  far().close();
}

TEST_P(StopClose, OfBothSidesAtOnce) {
  for (int round = 0; round < 5; ++round) {
    const Links links = make_links();
    const auto from = near_piece(5000);
    const auto to = far_piece(10000);
    const Transfer write = links.near.write(from->region.span(0, 5000), to->remote.at(0));
    const Transfer read = links.far.read(to->region.span(5000, 5000), from->remote.at(0));
    std::thread closer([&] { links.near.close(); });
    links.far.close();
    closer.join();
    EXPECT_TRUE(write.done());
    EXPECT_TRUE(read.done());
  }
}

// Plugins are told where a connection is closed with requests under way: each close once left one.
// On a machine that is busy a peer may be too late, but not every time.
TEST_P(StopClose, LeavesNothingOnItsWay) {
  bool clean = false;
  for (int round = 0; round < 10 && !clean; ++round) {
    const Links links = make_links();
    EXPECT_OK(outcome(links.near.notify("hello")));
    testing::internal::CaptureStderr();
    links.near.close();
    links.far.close();  // returns when that end is closed, too
    clean =
        testing::internal::GetCapturedStderr().find("requests outstanding") == std::string::npos;
  }
  EXPECT_TRUE(clean);
}

// More than the peer keeps where nobody says how many it is to keep: they wait, and end with the
// link.
TEST_P(StopClose, NotificationsThatNobodyTakes) {
  if (variant().name != "tcp") GTEST_SKIP() << "no matter of transports";
  constexpr std::size_t kKept = 65'536;
  constexpr std::size_t kWaiting = 4'000;
  std::vector<Transfer> told;
  for (std::size_t i = 0; i < kKept + kWaiting; ++i) told.push_back(near().notify("x"));
  for (std::size_t i = 0; i < kKept; ++i) ASSERT_OK(outcome(told[i]));
  EXPECT_EQ(near().report().waiting_for_room, kWaiting);
  EXPECT_TRUE(far().up() && near().up());
  near().close();
  for (std::size_t i = kKept; i < told.size(); ++i) EXPECT_CODE(outcome(told[i]), Code::cancelled);
  for (std::size_t i = 0; i < kKept; ++i) ASSERT_TRUE(far().take_notification().has_value()) << i;
  EXPECT_FALSE(far().take_notification().has_value());
}

HAWSER_ENGINE_SUITE(StopClose);

}  // namespace
}  // namespace hawser::test
