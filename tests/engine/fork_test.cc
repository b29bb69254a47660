// A child of fork() has copies of the parent's engine and handles: they do nothing, and harm
// nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/fixture.h"
#include "support/sanitizers.h"

namespace hawser::test {
namespace {

constexpr unsigned kChildSeconds = 30;  // then a signal ends it

// What goes wrong in a child is said, and is its exit status.
void want(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "in the child: not %s\n", what);
  ::_exit(1);
}

template <class AnyResult>
void want_refused(const AnyResult& result, const char* what) {
  want(!result.ok() && result.error().code() == Code::invalid_argument &&
           result.error().message().find("before fork()") != std::string::npos,
       what);
}

template <class Work>
int in_a_child(Work&& work) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kChildSeconds);
    work();
    ::_exit(0);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

class EngineFork : public EngineTest {
 protected:
  void SetUp() override {
    if (kThreadSanitizer) GTEST_SKIP() << "the thread sanitizer lets no child of threads go on";
    EngineTest::SetUp();
  }
  // It carries data both ways, and no channel has ever failed.
  void expect_unharmed() {
    const auto here = near_piece(1 << 20);
    const auto there = far_piece(1 << 20);
    EXPECT_OK(outcome(near().write(here->region, 0, there->remote, 0, 1 << 20)));
    EXPECT_OK(outcome(far().write(there->region, 0, here->remote, 0, 1 << 20)));
    EXPECT_OK(near().status());
    for (const Link& link : {near(), far()})
      for (const ChannelReport& channel : link.report().channels) EXPECT_EQ(channel.failures, 0U);
  }
};

TEST_P(EngineFork, EveryCallInAChildFailsAtOnce) {
  const auto here = near_piece(100);
  const auto there = far_piece(100);
  auto acceptor = server().listen("127.0.0.1", 0);
  ASSERT_OK(acceptor);
  const Transfer pending = near().recv(1, here->region, 0, 100);
  const Transfer ended = near().notify("x");
  ASSERT_OK(outcome(ended));
  const int event = client().event_fd();
  ASSERT_GE(event, 0);
  EXPECT_EQ(in_a_child([&] {
              char byte = 0;
              want_refused(near().write(here->region, 0, there->remote, 0, 100).result(), "write");
              want_refused(near().read(here->region, 0, there->remote, 0, 100).result(), "read");
              want_refused(near().send(1, here->region, 0, 100).result(), "send");
              want_refused(near().recv(1, here->region, 0, 100).result(), "recv");
              want_refused(near().notify("x").result(), "notify");
              want_refused(near().status(), "status");
              want(!near().up() && !near().take_notification(), "up");
              want(near().report().reason.find("fork") != std::string::npos, "report");
              want(near().peer() == near().report().peer, "peer");
              near().close(10'000);
              want(pending.done() && pending.wait(-1), "done");
              want_refused(pending.result(), "pending");
              want(ended.result().ok(), "ended");
              pending.cancel();
              bool called = false;
              pending.on_done([&](const Status& status) { called = !status.ok(); });
              want(called, "called");
              Region region = here->region;
              want_refused(region.deregister(), "deregister");
              want_refused(client().register_memory(&byte, 1), "register");
              want_refused(client().connect("127.0.0.1", 1), "connect");
              want_refused(client().listen("127.0.0.1", 0), "listen");
              want_refused(client().close(), "close");
              want(client().event_fd() == -1, "event_fd");
              client().clear_event();
              want_refused((*acceptor)->accept(), "accept");
              want(!(*acceptor)->try_accept(), "try_accept");
              (*acceptor)->close();
            }),
            0);
  expect_unharmed();
}

TEST_P(EngineFork, WhatAChildDestroysIsItsCopyAlone) {
  auto acceptor = server().listen("127.0.0.1", 0);
  ASSERT_OK(acceptor);
  EXPECT_EQ(in_a_child([&] {
              acceptor->reset();
              const Link copy = near();
              destroy_client();
              destroy_server();
            }),
            0);
  expect_unharmed();
  // One that dies without a word, and one that ends as programs do.
  EXPECT_NE(in_a_child([] { ::raise(SIGKILL); }), 0);
  // The search for leaks at that end takes what the parent's threads hold for lost.
  if (!kAddressSanitizer) {
    EXPECT_EQ(in_a_child([] { std::exit(0); }), 0);
  }
  expect_unharmed();
  EXPECT_OK(client().connect("127.0.0.1", (*acceptor)->port()));  // it listens on
}

TEST_P(EngineFork, ANewEngineInAChildWorks) {
  EXPECT_EQ(in_a_child([&] {
              auto engine = make_engine(variant(), Role::client);
              want(engine.ok(), "an engine");
              auto listening = (*engine)->listen("127.0.0.1", 0);
              want(listening.ok(), "listening");
              auto link = (*engine)->connect("127.0.0.1", (*listening)->port());
              want(link.ok(), "connected");
              want(link->notify("x").result().ok(), "told");
              want((*engine)->close().ok(), "closed");
            }),
            0);
  expect_unharmed();
}

std::vector<Variant> forked_variants() {
  std::vector<Variant> some{plain_variant()};
  for (const Variant& variant : variants())
    if (variant.name == "isolated_tcpx_emulator") some.push_back(variant);
  return some;
}
INSTANTIATE_TEST_SUITE_P(Engine, EngineFork, testing::ValuesIn(forked_variants()), variant_name);

// Else it would be the silence that tells, which is told to take a minute.
TEST(EngineForkedPeer, AKilledParentIsNoticedAtOnceThoughAChildLives) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer lets no child of threads go on for certain";
  set_environment(plain_variant());
  EngineOptions options = engine_options(plain_variant());
  options.peer_silence_ms = 60'000;
  const auto engine = Engine::create(options);
  ASSERT_OK(engine);
  const auto acceptor = (*engine)->listen("127.0.0.1", 0);
  ASSERT_OK(acceptor);
  int alive[2];  // open as long as the grandchild lives, which this process ends by closing it
  ASSERT_EQ(::pipe(alive), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    ::alarm(kChildSeconds);
    ::close(alive[1]);
    const auto own = Engine::create(options);
    want(own.ok(), "an engine");
    const auto link = (*own)->connect("127.0.0.1", (*acceptor)->port());
    want(link.ok(), "connected");
    if (::fork() == 0) {
      char byte = 0;
      ::_exit(static_cast<int>(::read(alive[0], &byte, 1)));
    }
    ::pause();
  }
  const auto link = (*acceptor)->accept(kPatienceMs);
  ASSERT_OK(link);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // for the grandchild to be there
  ::kill(parent, SIGKILL);
  ASSERT_EQ(::waitpid(parent, nullptr, 0), parent);
  EXPECT_TRUE(eventually([&] { return !link->up(); })) << "after 60 s it would be";
  ::close(alive[0]);
  ::close(alive[1]);
}

}  // namespace
}  // namespace hawser::test
