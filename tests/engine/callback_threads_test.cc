// Callbacks run on threads of their own: what one does or waits for harms nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine/fixture.h"
#include "support/sanitizers.h"

namespace hawser::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr auto kPatience = std::chrono::milliseconds(kPatienceMs);

// on_done() calls a callback itself where the transfer has ended already. Those are none of these
// tests': `at_once` is called instead.
std::function<void(const Status&)> on_another_thread(std::function<void()> call,
                                                     std::function<void()> at_once = [] {}) {
  return [call = std::move(call), at_once = std::move(at_once),
          own = std::this_thread::get_id()](const Status&) {
    std::this_thread::get_id() == own ? at_once() : call();
  };
}

// A callback of the link's that begins to run in a thread of the engine's.
void begin_callback(const Link& link, std::function<void()> call) {
  bool again = true;
  while (again) {
    again = false;
    link.notify("x").on_done(on_another_thread(call, [&again] { again = true; }));
  }
}

class EngineCallbackThreads : public EngineTest {
 protected:
  // A callback of the near link's that holds until it is let go.
  void hold() {
    begin_callback(near(), [this] {
      holds_.set_value();
      go_.get_future().wait();
      over_.set_value();
    });
    ASSERT_EQ(holds_.get_future().wait_for(kPatience), std::future_status::ready);
  }
  void let_go() {
    go_.set_value();
    EXPECT_EQ(over_.get_future().wait_for(kPatience), std::future_status::ready);
  }

 private:
  std::promise<void> holds_, go_, over_;
};

TEST_P(EngineCallbackThreads, OneThatWaitsHoldsUpNeitherDataNorOtherLinks) {
  const Links others = make_links();
  ASSERT_TRUE(others.near);
  hold();
  const auto here = near_piece(100'000);
  const auto there = far_piece(100'000);
  for (int i = 0; i < 20; ++i)
    EXPECT_OK(outcome(near().write(here->region, 0, there->remote, 0, 100'000)));
  std::promise<void> called;
  others.near.notify("x").on_done([&](const Status&) { called.set_value(); });
  EXPECT_EQ(called.get_future().wait_for(kPatience), std::future_status::ready);
  for (const ChannelReport& channel : near().report().channels) EXPECT_EQ(channel.failures, 0U);
  let_go();
}

TEST_P(EngineCallbackThreads, OneMayWaitForAnotherTransferOfItsLink) {
  std::promise<Status> done;
  const Link link = near();
  link.notify("first").on_done(
      [&, link](const Status&) { done.set_value(link.notify("second").result()); });
  auto future = done.get_future();
  ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
  EXPECT_OK(future.get());
}

TEST_P(EngineCallbackThreads, ThoseOfALinkComeInOrderAndOneAtATime) {
  constexpr int kCount = 500;
  std::mutex mutex;
  std::vector<int> order;
  std::atomic<int> inside{0};
  int at_once = 0;
  std::vector<Transfer> transfers;
  hold();
  for (int i = 0; i < kCount; ++i) {
    transfers.push_back(near().notify(std::to_string(i)));
    transfers.back().on_done(on_another_thread(
        [&, i] {
          EXPECT_EQ(++inside, 1);
          const std::lock_guard lock(mutex);
          order.push_back(i);
          --inside;
        },
        [&] { ++at_once; }));
  }
  for (const Transfer& transfer : transfers) EXPECT_OK(outcome(transfer));
  let_go();
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return static_cast<int>(order.size()) == kCount - at_once;
  }));
  // Over several channels two may end at the same moment, in either order.
  if (near().report().channels.size() == 1) {
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  }
}

INSTANTIATE_TEST_SUITE_P(Engine, EngineCallbackThreads, testing::Values(plain_variant()),
                         variant_name);

// ---- the engine's end: processes of their own ----

struct Both {
  std::unique_ptr<Engine> engine;
  Link near, far;
};

Both make_both() {
  set_environment(plain_variant());
  auto engine = Engine::create(engine_options(plain_variant()));
  if (!engine.ok()) ::_exit(90);
  auto acceptor = (*engine)->listen("127.0.0.1", 0);
  if (!acceptor.ok()) ::_exit(91);
  auto near = (*engine)->connect("127.0.0.1", (*acceptor)->port());
  if (!near.ok()) ::_exit(92);
  auto far = (*acceptor)->accept(kPatienceMs);
  if (!far.ok()) ::_exit(93);
  return {std::move(*engine), *near, *far};
}

// Returns when the callback has begun.
void call_and_block(const Both& both, std::function<void()> how) {
  static std::promise<void> begun;
  begin_callback(both.near, [how = std::move(how)] {
    begun.set_value();
    how();
  });
  begun.get_future().wait();
}

class EngineCallbackEndDeathTest : public testing::Test {
 protected:
  void SetUp() override {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    ::alarm(60);
  }
  void TearDown() override { ::alarm(0); }
};

TEST_F(EngineCallbackEndDeathTest, CloseIsBoundedWhereACallbackHangs) {
  const auto hang = [] {
    Both both = make_both();
    call_and_block(both, [] { ::pause(); });
    std::atomic<int> called{0};
    const Transfer behind = both.near.notify("behind");
    behind.on_done(on_another_thread([&] { ++called; }));
    behind.wait();
    const Status closed = both.engine->close(200);
    std::fprintf(stderr, "closed: %s\n", closed.ok() ? "well" : closed.error().message().c_str());
    ::_exit(!closed.ok() && closed.error().code() == Code::timeout && called == 0 ? 0 : 1);
  };
  EXPECT_EXIT(hang(), testing::ExitedWithCode(0), "closed: .*a callback has not returned");
}

TEST_F(EngineCallbackEndDeathTest, TheEndWaitsForThoseThatAreDue) {
  const auto wait = [] {
    Both both = make_both();
    std::atomic<int> called{0};
    call_and_block(both, [] { std::this_thread::sleep_for(300ms); });
    for (int i = 0; i < 100; ++i) both.near.notify("x").on_done([&](const Status&) { ++called; });
    both.engine.reset();
    ::_exit(called == 100 ? 0 : 1);
  };
  EXPECT_EXIT(wait(), testing::ExitedWithCode(0), "");
}

TEST_F(EngineCallbackEndDeathTest, AnEngineThatIsDestroyedInItsOwnCallbackSaysSo) {
  const auto destroy = [] {
    Both both = make_both();
    std::promise<void> over;
    call_and_block(both, [&] {
      const Status closed = both.engine->close();
      std::fprintf(stderr, "%s\n", closed.ok() ? "closed" : closed.error().message().c_str());
      both.engine.reset();
      over.set_value();
    });
    over.get_future().wait();
    ::_exit(both.near.up() ? 1 : 0);
  };
  EXPECT_EXIT(destroy(), testing::ExitedWithCode(0),
              "cannot be closed in one of its own callbacks(.|\n)*destroyed in one of its own "
              "callbacks, which is forbidden");
}

// As a Python that is being shut down does to whoever asks for its lock.
TEST_F(EngineCallbackEndDeathTest, ACallbackMayEndItsThread) {
  if (kThreadSanitizer) GTEST_SKIP() << "the thread sanitizer does not know of such ends";
  const auto end = [] {
    Both both = make_both();
    call_and_block(both, [] { ::pthread_exit(nullptr); });
    for (int i = 0; i < 10; ++i) both.near.notify("x").on_done(on_another_thread([] { ::abort(); }));
    const Status closed = both.engine->close();
    std::exit(closed.ok() ? 0 : 1);
  };
  EXPECT_EXIT(end(), testing::ExitedWithCode(0), "");
}

TEST_F(EngineCallbackEndDeathTest, AProcessMayExitWithCallbacksDue) {
  const auto exit_now = [] {
    // Made before the first engine, and destroyed while callbacks are due.
    static const std::unique_ptr<std::string> text = std::make_unique<std::string>("x");
    static Both both = make_both();
    call_and_block(both, [] { std::this_thread::sleep_for(50ms); });
    for (int i = 0; i < 10'000; ++i)
      both.near.notify("x").on_done([](const Status&) { *text += 'x'; });
    std::exit(0);
  };
  EXPECT_EXIT(exit_now(), testing::ExitedWithCode(0), "");
}

TEST_F(EngineCallbackEndDeathTest, AnExceptionOfACallbackIsSaidAndEndsNothing) {
  const auto raise = [] {
    Both both = make_both();
    call_and_block(both, [] { throw std::runtime_error("mine"); });
    ::_exit(both.near.notify("x").result().ok() && both.engine->close().ok() ? 0 : 1);
  };
  EXPECT_EXIT(raise(), testing::ExitedWithCode(0), "a callback threw an exception.*mine");
}

}  // namespace
}  // namespace hawser::test
