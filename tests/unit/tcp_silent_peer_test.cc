// A peer, or one of the ways to it, that is gone without a word: an error within a bounded time.
// One that is only slow is none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "net/tcp/tcp_net.h"
#include "support/guarded_buffer.h"
#include "support/net_pair.h"
#include "support/netns.h"

namespace hawser {
namespace {

using namespace test;
using testing::AllOf;
using testing::HasSubstr;

constexpr int kSilenceMs = 1500;
constexpr std::size_t kMessageBytes = 4 * 1024 * 1024;
// The silence, the retransmissions that make it suspicious and probes at least a second apart.
constexpr Milliseconds kBound{15'000};

TcpOptions options(int io_threads) {
  TcpOptions options;
  options.sockets_per_channel = 2;
  options.io_threads = io_threads;
  options.peer_silence_ms = kSilenceMs;
  return options;
}

// One end of a connection, and what it met with.
template <class AnyComm>
class End {
 public:
  explicit End(std::unique_ptr<AnyComm> comm)
      : buffer_(kMessageBytes), comm_(std::move(comm)), registration_(register_buffer()) {}
  ~End() { EXPECT_TRUE(comm_->deregister(registration_).ok()); }

  // One message, to its end or an error.
  Status move() {
    HAWSER_ASSIGN(Request * request, post());
    const Deadline deadline = Deadline::after(kBound);
    for (Backoff backoff; !deadline.expired(); backoff.idle()) {
      HAWSER_ASSIGN(const TestResult result, comm_->test(request));
      if (result.done) return {};
    }
    return Error(Code::timeout, "neither done nor failed");
  }

 private:
  Registration* register_buffer() { return *comm_->register_memory(buffer_.range()); }
  Result<Request*> post() {
    if constexpr (std::is_same_v<AnyComm, SendComm>)
      return comm_->try_send(buffer_.data(), kMessageBytes, 0, registration_);
    else
      return comm_->try_receive(buffer_.data(), kMessageBytes, 0, registration_);
  }

  GuardedBuffer buffer_;
  std::unique_ptr<AnyComm> comm_;
  Registration* registration_;
};

// Sends from b to a until it fails; between two messages the test cuts what it likes.
class TcpSilentPeer : public testing::TestWithParam<int> {
 protected:
  static constexpr int kLinks = 2;

  void SetUp() override {
    std::string why_not;
    namespaces_ = NamespacePair::create(kLinks, why_not);
    if (!namespaces_) GTEST_SKIP() << why_not;
  }

  struct Errors {
    Status sending;
    Status receiving;
  };
  // Cuts once messages go through, and returns what both ends say then.
  template <class Cut>
  Errors errors_after(int links, Cut cut) {
    Errors errors;
    std::promise<Handle> handle;
    std::promise<void> moved_promise;
    const std::shared_future<void> is_cut = moved_promise.get_future().share();
    std::promise<void> sender_ready, receiver_ready;
    std::thread receiving([&] {
      inside(namespaces_->a(), [&] {
        const auto net = net_over(links);
        const auto listener = std::move(*net->listen(device_of(*net, links)));
        handle.set_value(listener->handle());
        End<ReceiveComm> end(std::move(*wait_accepted(*listener, Deadline::after(kPairPatience))));
        errors.receiving = run(end, receiver_ready, is_cut);
      });
    });
    std::thread sending([&] {
      inside(namespaces_->b(), [&] {
        const auto net = net_over(links);
        auto offered = handle.get_future();
        ASSERT_EQ(offered.wait_for(kPairPatience), std::future_status::ready);
        const auto connector = std::move(*net->connect(device_of(*net, links), offered.get()));
        End<SendComm> end(std::move(*wait_connected(*connector, Deadline::after(kPairPatience))));
        errors.sending = run(end, sender_ready, is_cut);
      });
    });
    for (auto* const ready : {&sender_ready, &receiver_ready})
      EXPECT_EQ(ready->get_future().wait_for(2 * kPairPatience), std::future_status::ready);
    cut();
    moved_promise.set_value();
    sending.join();
    receiving.join();
    return errors;
  }

  void configure(const std::string& netns, const std::string& words) {
    ASSERT_TRUE(namespaces_->configure(netns, words));
  }
  // What goes to the other side of a link is for nobody there.
  void lose_all_to(const std::string& from, const std::string& address, int link) {
    configure(from, "neigh replace " + address + " lladdr 02:00:00:00:00:99 nud permanent dev " +
                        NamespacePair::link_name(link));
  }

  std::unique_ptr<NamespacePair> namespaces_;

 private:
  static constexpr int kMessages = 3;

  std::unique_ptr<Net> net_over(int links) {
    TcpOptions chosen = options(GetParam());
    chosen.interfaces.names = links > 1 ? "hw" : "=hw0";
    chosen.interfaces.family = FamilyChoice::ipv4;
    return std::move(*make_tcp_net(chosen));
  }
  // The only link, or both as one.
  static int device_of(Net& net, int links) {
    if (links == 1) return 0;
    const int both[] = {0, 1};
    EXPECT_TRUE(net.join(both).ok());
    return kLinks;
  }

  template <class AnyEnd>
  static Status run(AnyEnd& end, std::promise<void>& ready, const std::shared_future<void>& cut) {
    Status status;
    for (int i = 0; i < kMessages && status.ok(); ++i) status = end.move();
    ready.set_value();
    EXPECT_TRUE(status.ok()) << status.error().message();
    cut.wait();
    // A few messages may still find room in the kernel.
    for (int i = 0; i < 100 && status.ok(); ++i) status = end.move();
    return status;
  }
};

std::string message_of(const Status& status) {
  return status.ok() ? "no error" : status.error().message();
}

void expect_gone(const Status& status) {
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), Code::peer) << status.error().message();
}

TEST_P(TcpSilentPeer, DataLostOnOneOfTwoLinks) {
  const Errors errors =
      errors_after(2, [&] { lose_all_to(namespaces_->b(), NamespacePair::address_a(1), 1); });
  expect_gone(errors.sending);
  expect_gone(errors.receiving);
  EXPECT_THAT(message_of(errors.sending), AllOf(HasSubstr("hw1, 10.77.1.2"), HasSubstr("is gone")));
}

TEST_P(TcpSilentPeer, AnswersLostOnOneOfTwoLinks) {
  const Errors errors =
      errors_after(2, [&] { lose_all_to(namespaces_->a(), NamespacePair::address_b(1), 1); });
  expect_gone(errors.sending);
  expect_gone(errors.receiving);
}

TEST_P(TcpSilentPeer, OneOfTwoInterfacesDown) {
  const Errors errors = errors_after(2, [&] { configure(namespaces_->a(), "link set hw1 down"); });
  expect_gone(errors.sending);
  expect_gone(errors.receiving);
}

TEST_P(TcpSilentPeer, OwnInterfaceDown) {
  const Errors errors = errors_after(2, [&] { configure(namespaces_->b(), "link set hw1 down"); });
  expect_gone(errors.sending);
  expect_gone(errors.receiving);
}

TEST_P(TcpSilentPeer, TheOnlyLinkCut) {
  const Errors errors = errors_after(1, [&] { configure(namespaces_->a(), "link set hw0 down"); });
  expect_gone(errors.sending);
  expect_gone(errors.receiving);
}
INSTANTIATE_TEST_SUITE_P(IoThreads, TcpSilentPeer, testing::Values(0, 1));

// A window of zero for three times the silence: the kernel of the receiver answers all the same.
TEST(TcpSlowPeer, IsNotGone) {
  TcpOptions chosen = options(0);
  chosen.interfaces.names = "=lo";
  chosen.interfaces.family = FamilyChoice::ipv4;
  chosen.socket_buffer_bytes = 65536;
  const auto net = std::move(*make_tcp_net(chosen));
  NetPair pair = std::move(*connect_pair(*net, 0, Deadline::after(kPairPatience)));
  GuardedBuffer from(kMessageBytes), to(kMessageBytes);
  Registration* const source = *pair.sender->register_memory(from.range());
  Registration* const sink = *pair.receiver->register_memory(to.range());
  Request* const sent = *pair.sender->try_send(from.data(), kMessageBytes, 0, source);
  const Deadline slow = Deadline::after(Milliseconds(3 * kSilenceMs));
  for (Backoff backoff; !slow.expired(); backoff.idle()) {
    const auto result = pair.sender->test(sent);
    ASSERT_TRUE(result.ok()) << result.error().message();
    ASSERT_FALSE(result->done) << "a window of zero was wanted";
  }
  Request* const received = *pair.receiver->try_receive(to.data(), kMessageBytes, 0, sink);
  const Deadline deadline = Deadline::after(kBound);
  bool sender_done = false, receiver_done = false;
  for (Backoff backoff; !(sender_done && receiver_done) && !deadline.expired(); backoff.idle()) {
    if (!sender_done) sender_done = pair.sender->test(sent)->done;
    if (!receiver_done) receiver_done = pair.receiver->test(received)->done;
  }
  EXPECT_TRUE(sender_done && receiver_done);
  EXPECT_TRUE(pair.sender->deregister(source).ok());
  EXPECT_TRUE(pair.receiver->deregister(sink).ok());
}

}  // namespace
}  // namespace hawser
