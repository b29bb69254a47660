// Thousands of random and mutated streams of frames, against a receiver with posted receives.
// HAWSER_TEST_SEED=n runs the same ones again.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <random>
#include <vector>

#include "base/log.h"
#include "support/guarded_buffer.h"
#include "support/net_pair.h"
#include "support/seed.h"
#include "support/tcp_pair.h"
#include "support/tcp_raw.h"

namespace hawser {
namespace {

using namespace test;
using tcp::FrameHeader;
using tcp::FrameType;

constexpr int kStreams = 500;
constexpr std::size_t kAtATime =
    100;  // some wait for seconds: a flow that has ended may be the first
constexpr unsigned kFlows = 3;
constexpr std::size_t kReceiveBytes = 4096;
constexpr std::size_t kReceives = 4;
// Only the first half of each receive's pages is posted: what lies behind it must not be written.
constexpr std::size_t kPlaceBytes = 2 * kReceiveBytes;
// Longer than the receiver waits for other flows once the first has ended.
constexpr Milliseconds kPatience{30000};

// Makes streams that are wrong in many ways, and some that are right. Not thread-safe.
class Streams {
 public:
  explicit Streams(std::uint64_t seed) : random_(seed) {}

  // As much as a flow says before it closes.
  Bytes next() {
    Bytes stream;
    for (std::size_t n = below(8); n > 0; --n) {
      const Bytes part = below(10) == 0 ? noise(below(200)) : mutated(one_frame());
      stream.insert(stream.end(), part.begin(), part.end());
    }
    if (below(3) == 0) stream.resize(below(stream.size() + 1));
    return stream;
  }
  // The messages that are posted, cut as a correct sender would, or nearly so.
  Bytes nearly_right() {
    Bytes stream;
    for (std::uint32_t sequence = 0; sequence < kReceives; ++sequence) {
      const std::uint64_t total = below(kReceiveBytes + 1);
      for (std::uint64_t offset = 0; offset < std::max<std::uint64_t>(total, 1);) {
        const std::uint64_t bytes = total == 0 ? 0 : 1 + below(total - offset);
        Bytes part = piece(sequence, total, offset, bytes);
        if (below(20) == 0) part[tcp::kHeaderBytes + bytes] = static_cast<std::byte>(below(3));
        if (below(50) != 0) stream.insert(stream.end(), part.begin(), part.end());
        offset += std::max<std::uint64_t>(bytes, 1);
      }
    }
    return below(3) == 0 ? stream : mutated(std::move(stream));
  }
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

 private:
  Bytes noise(std::size_t bytes) {
    Bytes out(bytes);
    for (auto& byte : out) byte = static_cast<std::byte>(random_());
    return out;
  }
  // A number that is small, at a limit, or anything.
  std::uint64_t number() {
    switch (below(6)) {
      case 0:
        return below(4);
      case 1:
        return kReceiveBytes - 2 + below(4);
      case 2:
        return tcp::kMaxMessageBytes - 1 + below(3);
      case 3:
        return UINT64_MAX - below(3);
      case 4:
        return random_();
      default:
        return below(2 * kReceiveBytes);
    }
  }
  std::uint32_t sequence() {
    switch (below(8)) {
      case 0:
        return static_cast<std::uint32_t>(random_());
      case 1:
        return UINT32_MAX - static_cast<std::uint32_t>(below(3));
      case 2:
        return 31 + static_cast<std::uint32_t>(below(3));
      default:
        return static_cast<std::uint32_t>(below(kReceives + 1));
    }
  }
  Bytes one_frame() {
    FrameHeader header;
    header.type = below(4) == 0 ? static_cast<FrameType>(below(7)) : FrameType::piece;
    header.sequence = header.type == FrameType::piece ? sequence() : 0;
    header.total = below(3) == 0 ? number() : 1 + below(kReceiveBytes);
    header.offset = below(3) == 0 ? number() : below(header.total + 1);
    header.bytes = below(3) == 0 ? number() : header.total - std::min(header.total, header.offset);
    if (header.type == FrameType::flows && below(2) == 0)
      header = {FrameType::flows, 0, 0, 1 + below(kFlows), 0, 0};
    Bytes data(std::min<std::uint64_t>(header.bytes, 3 * kReceiveBytes));
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = pattern_byte(1, i);
    return frame(header, data);
  }
  Bytes mutated(Bytes bytes) {
    if (bytes.empty() || below(2) == 0) return bytes;
    for (std::size_t n = 1 + below(3); n > 0; --n)
      bytes[below(below(2) == 0 ? std::min<std::size_t>(bytes.size(), tcp::kHeaderBytes)
                                : bytes.size())] ^= static_cast<std::byte>(1u << below(8));
    return bytes;
  }

  std::mt19937_64 random_;
};

// Hands out a stream in parts of any size, over a socket that may be full or gone.
class Feeder {
 public:
  Feeder(UniqueFd fd, Bytes stream) : fd_(std::move(fd)), stream_(std::move(stream)) {}

  void feed(std::size_t at_most) {
    if (!fd_.valid()) return;
    const std::size_t part = std::max(at_most, stream_.size() / kMostParts);
    const std::size_t bytes = std::min(part, stream_.size() - at_);
    const ssize_t sent =
        bytes == 0 ? 0 : ::send(fd_.get(), &stream_[at_], bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) at_ += static_cast<std::size_t>(sent);
    if (at_ == stream_.size() || (sent < 0 && errno != EAGAIN)) fd_.reset();
  }

 private:
  static constexpr std::size_t kMostParts = 1000;  // a part a round, and rounds may pause

  UniqueFd fd_;
  Bytes stream_;
  std::size_t at_ = 0;
};

// One connection: raw flows that say their streams, and receives of ours.
class Case {
 public:
  Case(Net& net, Streams& streams) : streams_(streams), to_(kReceives * kPlaceBytes) {
    const auto listener = net.listen(0);
    const RawSender raw((*listener)->handle());
    UniqueFd first;
    comm_ = receive_from(raw, **listener, kFlows, first);
    sink_ = *comm_->register_memory(to_.range());
    for (std::size_t i = 0; i < kReceives; ++i)
      receives_.push_back(
          *comm_->try_receive(to_.data() + i * kPlaceBytes, kReceiveBytes, 0, sink_));
    make_feeders(raw, std::move(first));
    step_ = 1 + streams.below(5000);
  }
  ~Case() { EXPECT_TRUE(comm_->deregister(sink_).ok()); }
  Case(const Case&) = delete;
  Case& operator=(const Case&) = delete;

  // True once each receive is done or has failed.
  bool poll() {
    for (Feeder& feeder : feeders_) feeder.feed(step_);
    std::erase_if(receives_, [&](Request* request) {
      const auto result = comm_->test(request);
      if (result.ok() && !result->done) return false;
      ++(result.ok() ? done : failed);
      return true;
    });
    return receives_.empty();
  }
  bool late() const { return deadline_.expired(); }
  bool nothing_but_the_receives_was_written() const {
    for (std::size_t i = 0; i < kReceives; ++i) {
      const auto behind = to_.span(i * kPlaceBytes + kReceiveBytes, kPlaceBytes - kReceiveBytes);
      if (std::any_of(behind.begin(), behind.end(),
                      [](std::byte b) { return b != GuardedBuffer::kGuard; }))
        return false;
    }
    return to_.untouched_outside(0, to_.bytes());
  }

  int done = 0;
  int failed = 0;

 private:
  // Announces further flows and connects them, or does neither.
  void make_feeders(const RawSender& raw, UniqueFd first) {
    const std::size_t further = streams_.below(kFlows);
    Bytes stream = streams_.below(2) == 0 ? streams_.next() : streams_.nearly_right();
    if (further > 0) {
      const Bytes said = frame({FrameType::flows, 0, 0, further, 0, 0});
      stream.insert(stream.begin(), said.begin(), said.end());
    }
    feeders_.emplace_back(std::move(first), std::move(stream));
    for (unsigned flow = 1; flow <= further; ++flow)
      feeders_.emplace_back(raw.hello(flow, kFlows), streams_.next());
  }

  Streams& streams_;
  GuardedBuffer to_;
  std::unique_ptr<ReceiveComm> comm_;
  Registration* sink_ = nullptr;
  std::vector<Request*> receives_;
  std::vector<Feeder> feeders_;
  std::size_t step_ = 1;
  const Deadline deadline_ = Deadline::after(kPatience);
};

class TcpStreamFuzz : public testing::TestWithParam<int> {
 protected:
  TcpStreamFuzz() {
    set_log_sink([](LogLevel, std::string_view) {});
  }
  ~TcpStreamFuzz() override { set_log_sink({}); }
};
INSTANTIATE_TEST_SUITE_P(IoThreads, TcpStreamFuzz, testing::Values(0, 2));

TEST_P(TcpStreamFuzz, NothingIsWrittenOutsideTheReceivesAndAllOfThemEnd) {
  Streams streams(seed_of_this_run());
  const auto net = loopback_net(kFlows, GetParam());
  std::vector<std::unique_ptr<Case>> under_way;
  int started = 0, done = 0, failed = 0;
  for (Backoff backoff; started < kStreams || !under_way.empty(); backoff.idle()) {
    while (started < kStreams && under_way.size() < kAtATime) {
      under_way.push_back(std::make_unique<Case>(*net, streams));
      ++started;
    }
    const auto ended = std::erase_if(under_way, [&](const std::unique_ptr<Case>& one) {
      EXPECT_FALSE(one->late()) << "a receive is neither done nor failed";
      if (!one->poll() && !one->late()) return false;
      EXPECT_TRUE(one->nothing_but_the_receives_was_written());
      done += one->done;
      failed += one->failed;
      return true;
    });
    if (ended > 0) backoff.progressed();
    if (HasFailure()) return;
  }
  std::printf("%d streams: %d receives done, %d failed\n", kStreams, done, failed);
  EXPECT_GT(done, 0);
  EXPECT_GT(failed, 0);
}

}  // namespace
}  // namespace hawser
