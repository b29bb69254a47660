// The link of a measurement's client, among strangers who come to its port first.
#include <gtest/gtest.h>

#include <future>

#include "perf/announced_link.h"
#include "support/scoped_env.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Engine> loopback_engine() {
  EngineOptions options;
  options.plugin = "builtin";
  options.devices = {"lo"};
  options.threads = 1;
  auto engine = Engine::create(options);
  EXPECT_TRUE(engine.ok());
  return engine.ok() ? std::move(*engine) : nullptr;
}

TEST(PerfAnnouncedLink, StrangersAreClosedAndTheWaitGoesOn) {
  const test::ScopedEnvironment interface("HAWSER_SOCKET_IFNAME", "lo");
  const auto server = loopback_engine();
  const auto stranger = loopback_engine();
  const auto client = loopback_engine();
  ASSERT_TRUE(server && stranger && client);
  auto acceptor = server->listen("127.0.0.1", 0);
  ASSERT_TRUE(acceptor.ok());
  const auto secret = make_secret();
  ASSERT_TRUE(secret.ok());
  ASSERT_EQ(secret->size(), 32u);
  const int port = (*acceptor)->port();
  auto accepting = std::async(std::launch::async, [&] {
    return accept_announced(**acceptor, *secret, {Deadline::after(30'000ms), {}});
  });
  auto guessing = stranger->connect("127.0.0.1", port);
  ASSERT_TRUE(guessing.ok());
  static_cast<void>(guessing->notify("is it this?"));
  auto silent = stranger->connect("127.0.0.1", port);
  ASSERT_TRUE(silent.ok());
  auto right = client->connect("127.0.0.1", port);
  ASSERT_TRUE(right.ok());
  static_cast<void>(right->notify(*secret));
  const auto accepted = accepting.get();
  ASSERT_TRUE(accepted.ok()) << accepted.error().message();
  static_cast<void>(right->notify("it is"));
  const Deadline deadline = Deadline::after(30'000ms);
  std::optional<Notification> heard;
  while (!(heard = accepted->take_notification()) && !deadline.expired())
    std::this_thread::yield();
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->text, "it is");
  while ((guessing->up() || silent->up()) && !deadline.expired()) std::this_thread::yield();
  EXPECT_FALSE(guessing->up());
  EXPECT_FALSE(silent->up());
}

TEST(PerfAnnouncedLink, TheWaitHasABound) {
  const test::ScopedEnvironment interface("HAWSER_SOCKET_IFNAME", "lo");
  const auto server = loopback_engine();
  ASSERT_TRUE(server);
  auto acceptor = server->listen("127.0.0.1", 0);
  ASSERT_TRUE(acceptor.ok());
  const auto accepted = accept_announced(**acceptor, "x", {Deadline::after(50ms), {}});
  ASSERT_FALSE(accepted.ok());
  EXPECT_EQ(accepted.error().code(), Code::timeout);
}

}  // namespace
}  // namespace hawser
