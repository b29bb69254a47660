// A hosted comm never provokes the emulated TCPX, whatever its caller asks of it: what the plugin
// would answer with an error is refused before it is called.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "net_hosted_emulator.h"
#include "support/seed.h"

namespace hawser {
namespace {

// One direction, driven at random by a caller that respects nothing.
class WildCaller {
 public:
  WildCaller(HostedEmulator& emulator, std::uint64_t seed, std::size_t messages)
      : emulator_(emulator),
        random_(seed),
        channel_(emulator, kEmulatorWindow * kEmulatorRequest),
        depth_(std::min<std::size_t>(1 + random_() % 24, kEmulatorWindow)) {
    for (std::size_t i = 0; i < messages; ++i) lengths_.push_back(random_length());
    test::fill_pattern(channel_.from.span(0, channel_.from.bytes()), seed);
  }

  bool finished() const { return consumed_ == lengths_.size() && sends_.empty(); }
  std::size_t refusals() const { return refusals_; }

  void step() {
    switch (random_() % 8) {
      case 0:
        return send();
      case 1:
        return receive();
      case 2:
      case 3:
        return test_send();
      case 4:
      case 5:
        return test_receive();
      case 6:
        return consume();
      default:
        return misbehave();
    }
  }

 private:
  std::size_t random_length() {
    if (random_() % 8 == 0) return 1;  // an empty message would want an empty receive
    const std::size_t most =
        random_() % 16 == 0 ? kEmulatorRequest : std::size_t{1} << random_() % 17;
    return 1 + random_() % most;
  }
  std::size_t place(std::size_t message) const {
    return message % kEmulatorWindow * kEmulatorRequest;
  }

  void send() {
    if (sent_ == lengths_.size() || sends_.size() >= depth_) return;
    auto posted = channel_.pair.sender->try_send(channel_.from.data() + place(sent_),
                                                 lengths_[sent_], 0, channel_.sends);
    ASSERT_TRUE(posted.ok()) << posted.error().message();
    if (*posted == nullptr) return;
    sends_.push_back(*posted);
    ++sent_;
  }
  void receive() {
    if (received_ == lengths_.size() || receives_.size() + done_.size() >= depth_) return;
    auto posted = channel_.pair.receiver->try_receive(channel_.to.data() + place(received_),
                                                      kEmulatorRequest, 0, channel_.receives);
    ASSERT_TRUE(posted.ok()) << posted.error().message();
    if (*posted == nullptr) return;
    receives_.push_back(*posted);
    ++received_;
  }
  void test_send() {
    if (sends_.empty()) return;
    const auto tested = channel_.pair.sender->test(sends_.front());
    ASSERT_TRUE(tested.ok()) << tested.error().message();
    if (!tested->done) return;
    last_sent_ = sends_.front();
    sends_.pop_front();
  }
  void test_receive() {
    if (receives_.empty()) return;
    const auto tested = channel_.pair.receiver->test(receives_.front());
    ASSERT_TRUE(tested.ok()) << tested.error().message();
    if (!tested->done) return;
    done_.push_back(receives_.front());
    receives_.pop_front();
  }
  void consume() {
    if (done_.empty()) return;
    unpack(done_.front());
    const Status consumed = channel_.pair.receiver->consume(done_.front());
    ASSERT_TRUE(consumed.ok()) << consumed.error().message();
    last_consumed_ = done_.front();
    done_.pop_front();
    ++consumed_;
  }
  void unpack(Request* request) {
    const auto fragments = channel_.pair.receiver->fragments(request);
    ASSERT_TRUE(fragments.ok()) << fragments.error().message();
    std::byte* const to = channel_.to.data() + place(consumed_);
    std::size_t bytes = 0;
    for (const Fragment& piece : fragments->list) {
      ASSERT_LE(piece.destination_offset + piece.bytes, kEmulatorRequest);
      std::memcpy(to + piece.destination_offset, fragments->bounce + piece.source_offset,
                  piece.bytes);
      bytes += piece.bytes;
    }
    EXPECT_EQ(bytes, lengths_[consumed_]);
    EXPECT_EQ(std::memcmp(to, channel_.from.data() + place(consumed_), bytes), 0);
  }

  // Something that must not reach the plugin.
  void misbehave() {
    const std::uint64_t before = emulator_.data_calls();
    const bool refused = random_() % 2 == 0 ? misuse_sender() : misuse_receiver();
    if (refused) ++refusals_;
    EXPECT_EQ(emulator_.data_calls(), before);
  }
  bool misuse_sender() {
    SendComm& sender = *channel_.pair.sender;
    switch (random_() % 6) {
      case 0:
        return is_refused(sender.test(nullptr));
      case 1:  // of a receiver
        return !receives_.empty() && is_refused(sender.test(receives_.front()));
      case 2:  // not the oldest
        return sends_.size() > 1 &&
               is_refused(sender.test(sends_[1 + random_() % (sends_.size() - 1)]));
      case 3:  // done, and its place not used again
        return last_sent_ != nullptr && (sends_.empty() || sends_.front() != last_sent_) &&
               is_refused(sender.test(last_sent_));
      case 4:
        return is_refused(
            sender.try_send(channel_.from.data(), kEmulatorRequest + 1, 0, channel_.sends));
      default:
        return sends_.size() == kEmulatorWindow &&
               is_refused(sender.try_send(channel_.from.data(), 1, 0, channel_.sends));
    }
  }
  bool misuse_receiver() {
    ReceiveComm& receiver = *channel_.pair.receiver;
    switch (random_() % 8) {
      case 0:
        return receives_.size() > 1 && is_refused(receiver.test(receives_.back()));
      case 1:  // done
        return !done_.empty() && is_refused(receiver.test(done_[random_() % done_.size()]));
      case 2:  // not done
        return !receives_.empty() && is_refused(receiver.consume(receives_.front()));
      case 3:  // not its turn
        return done_.size() > 1 && is_refused(receiver.consume(done_.back()));
      case 4:  // consumed, and its place not used again
        return last_consumed_ != nullptr && (done_.empty() || done_.front() != last_consumed_) &&
               is_refused(receiver.consume(last_consumed_));
      case 5:
        return !receives_.empty() && is_refused(receiver.fragments(receives_.front()));
      case 6:  // beyond its registration
        return is_refused(receiver.try_receive(channel_.to.data() + channel_.to.bytes() - 1, 2, 0,
                                               channel_.receives));
      default:
        return receives_.size() + done_.size() == kEmulatorWindow &&
               is_refused(receiver.try_receive(channel_.to.data(), 1, 0, channel_.receives));
    }
  }
  template <class Result>
  static bool is_refused(const Result& result) {
    EXPECT_FALSE(result.ok());
    return !result.ok();
  }

  HostedEmulator& emulator_;
  std::mt19937_64 random_;
  EmulatedChannel channel_;
  const std::size_t depth_;  // what this caller keeps in flight
  std::vector<std::size_t> lengths_;
  std::deque<Request*> sends_, receives_, done_;
  Request* last_sent_ = nullptr;
  Request* last_consumed_ = nullptr;
  std::size_t sent_ = 0, received_ = 0, consumed_ = 0, refusals_ = 0;
};

class NetHostedWildCaller : public testing::TestWithParam<const char*> {};

TEST_P(NetHostedWildCaller, NeverProvokesThePlugin) {
  const std::uint64_t seed = test::seed_of_this_run();
  HostedEmulator emulator(
      "irecv@0=delay:5;isend@1=delay:5;client:test@2=delay:1;server:test@3=delay:1", GetParam());
  std::mt19937_64 random(seed);
  std::vector<std::unique_ptr<WildCaller>> callers;
  for (std::uint64_t i = 0; i < 6; ++i)
    callers.push_back(std::make_unique<WildCaller>(emulator, seed + i, 150));
  const Deadline deadline = test::soon();
  std::size_t left = callers.size();
  while (left > 0 && !deadline.expired() && !testing::Test::HasFailure()) {
    callers[random() % callers.size()]->step();
    left = static_cast<std::size_t>(std::count_if(
        callers.begin(), callers.end(), [](const auto& caller) { return !caller->finished(); }));
  }
  EXPECT_EQ(left, 0U);
  for (const auto& caller : callers) EXPECT_GT(caller->refusals(), 20U);
  const HawserEmuStats stats = emulator.stats();
  EXPECT_EQ(stats.violations, 0U) << stats.last_violation;
  EXPECT_EQ(stats.bytes_sent, stats.bytes_received);
  EXPECT_EQ(stats.pages_in_use, 0U);
  EXPECT_GT(stats.faults_applied, 0U);
}

INSTANTIATE_TEST_SUITE_P(Fragments, NetHostedWildCaller,
                         testing::Values("pages", "scattered", "mixed", "tiny"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace hawser
