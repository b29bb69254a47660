#include "conformance/fixture.h"

#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

#include "base/log.h"

namespace hawser::test {
namespace {

using KeptNets = std::map<std::string, std::shared_ptr<Net>>;

// The Nets that may be made only once.
KeptNets& kept_nets() {
  static KeptNets kept;
  return kept;
}

// They end before the program's exit handlers run: a plugin's static objects go there.
class EndsKeptNets : public testing::Environment {
 public:
  void TearDown() override { kept_nets().clear(); }
};
const testing::Environment* const ends_kept_nets =
    testing::AddGlobalTestEnvironment(new EndsKeptNets);

// TCPX says so at each look at a receive that has to wait for another: that is no fault of a host.
bool is_of_a_busy_plugin(std::string_view line) {
  return line.find("no room for another receive task") != std::string_view::npos;
}

// Of a plugin that is kept, what it said during another test is counted, and told during this one.
bool is_told_late(std::string_view line) {
  return line.find(" more times in the last ") != std::string_view::npos ||
         line.find(" other lines left out in the last ") != std::string_view::npos;
}

Result<std::shared_ptr<Net>> net_for(const NetUnderTest& under_test) {
  KeptNets& kept = kept_nets();
  if (const auto found = kept.find(under_test.name); found != kept.end()) return found->second;
  HAWSER_ASSIGN(std::unique_ptr<Net> made, under_test.make());
  std::shared_ptr<Net> net = std::move(made);
  if (under_test.once_per_process) kept[under_test.name] = net;
  return net;
}

// Posts as soon as the Net takes it, polling meanwhile.
template <class Flow, class Post>
Status post_when_possible(Flow& flow, Post post) {
  const Deadline deadline = patience();
  for (Backoff backoff; !deadline.expired(); backoff.idle()) {
    if (!flow.full()) {
      HAWSER_ASSIGN(const bool posted, post());
      if (posted) return {};
    }
    HAWSER_TRY(flow.poll());
  }
  return Error(Code::timeout, "a request was not taken");
}

}  // namespace

ScopedRegistration::ScopedRegistration(Comm& comm, const GuardedBuffer& buffer) : comm_(comm) {
  const auto registration = comm_.register_memory(buffer.range());
  EXPECT_OK(registration);
  if (registration.ok()) registration_ = *registration;
}

ScopedRegistration::~ScopedRegistration() {
  if (registration_ != nullptr) EXPECT_OK(comm_.deregister(registration_));
}

Channel::Channel(NetPair connected, const NetCapabilities& capabilities, std::size_t bytes,
                 std::shared_ptr<Gpu> gpu)
    : pair(std::move(connected)),
      from(bytes),
      to(bytes),
      send(*pair.sender, capabilities),
      receive(*pair.receiver, capabilities, std::move(gpu)),
      send_registration(*pair.sender, from),
      receive_registration(*pair.receiver, to) {}

Status Channel::post_send(std::size_t offset, std::size_t bytes, int tag) {
  return post_when_possible(
      send, [&] { return send.post(from.data() + offset, bytes, tag, send_registration.get()); });
}

Status Channel::post_send_polling_both(std::size_t offset, std::size_t bytes, int tag) {
  return post_when_possible(send, [&]() -> Result<bool> {
    if (receive.in_flight() > 0) HAWSER_TRY(receive.poll());
    return send.post(from.data() + offset, bytes, tag, send_registration.get());
  });
}

Status Channel::post_receive(std::size_t offset, std::size_t capacity, int tag) {
  return post_when_possible(receive, [&] {
    return receive.post(to.data() + offset, capacity, tag, receive_registration.get());
  });
}

void NetConformance::SetUp() {
  set_log_sink([this](LogLevel level, std::string_view line) {
    const std::lock_guard lock(mutex_);
    if (level > LogLevel::warning || is_of_a_busy_plugin(line) || is_told_late(line)) return;
    warnings_.emplace_back(line);
  });
  auto net = net_for(GetParam());
  if (!net.ok() && GetParam().optional && net.error().code() == Code::unavailable)
    GTEST_SKIP() << net.error().message();
  ASSERT_OK(net);
  net_ = *net;
  ASSERT_FALSE(net_->devices().empty());
}

void NetConformance::TearDown() {
  net_.reset();
  set_log_sink({});
  if (!warnings_allowed_) {
    EXPECT_EQ(warnings_, std::vector<std::string>());
  }
}

std::size_t NetConformance::request_bytes(std::size_t limit) {
  return std::min(limit, capabilities().max_request_bytes);
}

std::unique_ptr<Channel> NetConformance::make_channel(std::size_t bytes) {
  auto pair = connect_pair(net(), device(), patience());
  EXPECT_OK(pair);
  if (!pair.ok()) return nullptr;
  return std::make_unique<Channel>(std::move(*pair), capabilities(), bytes, gpu());
}

void send_and_check(Channel& channel, std::size_t bytes, std::uint64_t seed) {
  fill_pattern(channel.from.span(0, bytes), seed);
  channel.to.reset();
  ASSERT_OK(channel.post_receive(0, bytes));
  ASSERT_OK(channel.post_send(0, bytes));
  ASSERT_OK(channel.drain_both());
  EXPECT_EQ(pattern_mismatch(channel.to.span(0, bytes), seed), "");
  EXPECT_TRUE(channel.to.untouched_outside(0, bytes));
  if (const auto got = channel.receive.received().back(); got != ReceiveFlow::kUnknownBytes) {
    EXPECT_EQ(got, bytes);
  }
}

std::uint64_t random_seed() {
  const char* const given = std::getenv("HAWSER_TEST_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "HAWSER_TEST_SEED=" << seed << std::endl;
  return seed;
}

}  // namespace hawser::test
