// Many requests in flight.
#include <random>

#include "conformance/fixture.h"

namespace hawser::test {
namespace {

constexpr std::size_t kLargeBytes = 512 * 1024;
constexpr std::size_t kLargeWindowBytes = 24 * 1024 * 1024;  // of all messages in flight

// A stream of numbered messages over one channel, its windows as full as they get. Message i uses
// slot i % slots of either buffer; its bytes are the pattern of i.
class Stream {
 public:
  Stream(Channel& channel, std::size_t slots, std::size_t slot_bytes)
      : channel_(channel), slots_(slots), slot_bytes_(slot_bytes) {}

  // Message i has size(i) bytes, at most slot_bytes.
  template <class Size>
  Status run(std::size_t count, Size size) {
    Backoff backoff;
    const Deadline deadline = patience();
    while (checked_ < count) {
      if (deadline.expired()) return Error(Code::timeout, "the stream stands still");
      HAWSER_ASSIGN(const bool posted, post_more(count, size));
      HAWSER_ASSIGN(const bool sent, channel_.send.poll());
      HAWSER_ASSIGN(const bool received, channel_.receive.poll());
      if (received) HAWSER_TRY(check(size(checked_)));
      posted || sent || received ? backoff.progressed() : backoff.idle();
    }
    return drain(channel_.send, deadline);
  }

 private:
  std::size_t offset(std::size_t message) const { return message % slots_ * slot_bytes_; }

  template <class Size>
  Result<bool> post_more(std::size_t count, Size size) {
    bool posted = false;
    while (receives_ < count && !channel_.receive.full() && receives_ < checked_ + slots_) {
      HAWSER_ASSIGN(const bool taken,
                    channel_.receive.post(channel_.to.data() + offset(receives_), slot_bytes_,
                                          tag(receives_), channel_.receive_registration.get()));
      if (!taken) break;
      ++receives_;
      posted = true;
    }
    while (sends_ < receives_ && !channel_.send.full() && sends_ < checked_ + slots_) {
      fill_pattern(channel_.from.span(offset(sends_), size(sends_)), sends_);
      HAWSER_ASSIGN(const bool taken,
                    channel_.send.post(channel_.from.data() + offset(sends_), size(sends_),
                                       tag(sends_), channel_.send_registration.get()));
      if (!taken) break;
      ++sends_;
      posted = true;
    }
    return posted;
  }

  Status check(std::size_t bytes) {
    const std::string wrong = pattern_mismatch(channel_.to.span(offset(checked_), bytes), checked_);
    if (!wrong.empty())
      return Error(Code::data, "message " + std::to_string(checked_) + ": " + wrong);
    ++checked_;
    return {};
  }
  static int tag(std::size_t message) { return static_cast<int>(message % 1000); }

  Channel& channel_;
  const std::size_t slots_, slot_bytes_;
  std::size_t receives_ = 0, sends_ = 0, checked_ = 0;
};

TEST_P(NetConformance, TheWindowFillsToItsLimitAndDrains) {
  constexpr std::size_t kSlot = kPageBytes;
  const auto limit = static_cast<std::size_t>(capabilities().max_requests);
  const auto channel = make_channel(limit * kSlot);
  ASSERT_NE(channel, nullptr);
  for (std::uint64_t round = 0; round < 3; ++round) {
    channel->to.reset();
    fill_pattern(channel->from.span(0, limit * kSlot), round);
    for (std::size_t i = 0; i < limit; ++i) ASSERT_OK(channel->post_receive(i * kSlot, kSlot));
    for (std::size_t i = 0; i < limit; ++i) ASSERT_OK(channel->post_send(i * kSlot, kSlot));
    ASSERT_OK(channel->drain_both());
    EXPECT_EQ(pattern_mismatch(channel->to.span(0, limit * kSlot), round), "");
    EXPECT_TRUE(channel->to.untouched_outside(0, limit * kSlot));
  }
}

TEST_P(NetConformance, ManySmallMessagesGoThroughAFullWindow) {
  const auto slots = 2 * static_cast<std::size_t>(capabilities().max_requests);
  const auto channel = make_channel(slots * 2048);
  ASSERT_NE(channel, nullptr);
  Stream stream(*channel, slots, 2048);
  // Each that a simulated GPU unpacks takes a hand-over between threads: seconds under a sanitizer.
  const std::size_t messages = capabilities().comms_of_a_gpu ? 500 : 5000;
  EXPECT_OK(
      stream.run(messages, [&](std::size_t i) { return std::max(i * 37 % 2049, least_bytes()); }));
}

TEST_P(NetConformance, LargeMessagesGoThroughAFullWindow) {
  const auto slots = static_cast<std::size_t>(capabilities().max_requests);
  const std::size_t bytes = request_bytes(std::min(kLargeBytes, kLargeWindowBytes / slots));
  const auto channel = make_channel(slots * bytes);
  ASSERT_NE(channel, nullptr);
  Stream stream(*channel, slots, bytes);
  EXPECT_OK(stream.run(2 * slots + 3, [&](std::size_t i) { return bytes - i % 3; }));
}

TEST_P(NetConformance, MessagesOfAllSizesGoThroughAFullWindow) {
  std::mt19937_64 random(random_seed());
  const std::size_t bytes = request_bytes(128 * 1024);
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 500; ++i) {
    const std::size_t limit = std::min(bytes, std::size_t{1} << (random() % 18));
    sizes.push_back(random() % 8 == 0 ? least_bytes()
                                      : std::max(random() % (limit + 1), least_bytes()));
  }
  const auto slots = static_cast<std::size_t>(capabilities().max_requests) + 3;
  const auto channel = make_channel(slots * bytes);
  ASSERT_NE(channel, nullptr);
  Stream stream(*channel, slots, bytes);
  EXPECT_OK(stream.run(sizes.size(), [&](std::size_t i) { return sizes[i]; }));
}

TEST_P(NetConformance, RequestsMayBeTestedInAnyOrder) {
  if (capabilities().oldest_first) GTEST_SKIP() << "this Net wants the oldest tested first";
  if (capabilities().needs_unpack) GTEST_SKIP() << "this Net wants receives consumed in order";
  constexpr std::size_t kSlot = 4000;
  const auto count = static_cast<std::size_t>(capabilities().max_requests);
  const auto channel = make_channel(count * kSlot);
  ASSERT_NE(channel, nullptr);
  fill_pattern(channel->from.span(0, count * kSlot), 3);
  std::vector<Request*> sends(count), receives(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto receive = channel->pair.receiver->try_receive(channel->to.data() + i * kSlot, kSlot, 0,
                                                       channel->receive_registration.get());
    ASSERT_OK(receive);
    auto send = channel->pair.sender->try_send(channel->from.data() + i * kSlot, kSlot, 0,
                                               channel->send_registration.get());
    ASSERT_OK(send);
    receives[i] = *receive;
    sends[i] = *send;
    if (receives[i] == nullptr || sends[i] == nullptr) GTEST_SKIP() << "posts are taken later";
  }
  std::size_t left = 2 * count;
  const Deadline deadline = patience();
  for (Backoff backoff; left > 0; backoff.idle()) {
    ASSERT_FALSE(deadline.expired()) << left << " requests are not done";
    for (std::size_t i = count; i-- > 0;) {
      for (auto [comm, request] :
           {std::pair<Comm*, Request**>{channel->pair.sender.get(), &sends[i]},
            {channel->pair.receiver.get(), &receives[i]}}) {
        if (*request == nullptr) continue;
        const auto result = comm->test(*request);
        ASSERT_OK(result);
        if (!result->done) continue;
        *request = nullptr;
        --left;
      }
    }
  }
  EXPECT_EQ(pattern_mismatch(channel->to.span(0, count * kSlot), 3), "");
}

}  // namespace
}  // namespace hawser::test
