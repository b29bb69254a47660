// Threads that drive flows: kicks, edges of sockets, turns, and above all letting go.
#include <fcntl.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <fstream>
#include <memory>
#include <mutex>
#include <new>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/cpus.h"
#include "base/log.h"
#include "net/tcp/io_pool.h"
#include "net/tcp/io_thread.h"
#include "support/file_limit.h"
#include "support/seed.h"
#include "support/threads.h"

namespace hawser::tcp {
namespace {

using namespace test;
using Wait = IoTask::Wait;

std::unique_ptr<IoThread> start(std::chrono::microseconds spin = std::chrono::microseconds(0)) {
  auto thread = IoThread::start({0, {}, spin});
  EXPECT_TRUE(thread.ok());
  return thread.ok() ? std::move(*thread) : nullptr;
}

struct SocketPair {
  SocketPair() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
    near = UniqueFd(fds[0]);
    far = UniqueFd(fds[1]);
  }
  void say() { EXPECT_EQ(::write(far.get(), "x", 1), 1); }

  UniqueFd near, far;
};

// Counts how often it was driven.
class Counter : public IoTask {
 public:
  explicit Counter(Wait waits_for = Wait::socket) : waits_for_(waits_for) {}
  Wait drive() override {
    count_.fetch_add(1);
    return waits_for_.load();
  }
  int count() const { return count_.load(); }
  void wait_for(Wait what) { waits_for_.store(what); }

 private:
  std::atomic<Wait> waits_for_;
  std::atomic<int> count_{0};
};

// Finds no memory, the first time.
class Starved final : public IoTask {
 public:
  Wait drive() override {
    if (!told_.load()) throw std::bad_alloc();
    driven_again_.store(true);
    return Wait::socket;
  }
  void ran_out_of_memory() noexcept override { told_.store(true); }
  bool told() const { return told_.load(); }
  bool driven_again() const { return driven_again_.load(); }

 private:
  std::atomic<bool> told_{false}, driven_again_{false};
};

// Reads all there is, as a flow does.
class Reader final : public IoTask {
 public:
  explicit Reader(int fd) : fd_(fd) {}
  Wait drive() override {
    std::array<char, 64> buffer;
    const ssize_t got = ::read(fd_, buffer.data(), buffer.size());
    if (got > 0) bytes_.fetch_add(static_cast<int>(got));
    if (got == 0) ended_.store(true);
    return got > 0 ? Wait::nothing : got == 0 ? Wait::never : Wait::socket;
  }
  int bytes() const { return bytes_.load(); }
  bool ended() const { return ended_.load(); }

 private:
  const int fd_;
  std::atomic<int> bytes_{0};
  std::atomic<bool> ended_{false};
};

// Attached for as long as it lives.
class Attached {
 public:
  Attached(IoThread& thread, IoTask& driven, int fd) : thread_(thread), driven_(driven), fd_(fd) {
    EXPECT_TRUE(thread_.attach(driven_, fd_).ok());
  }
  ~Attached() { thread_.detach(driven_, fd_); }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

 private:
  IoThread& thread_;
  IoTask& driven_;
  int fd_;
};

TEST(TcpIoThread, DrivesOnceWhatIsAttached) {
  const auto thread = start();
  SocketPair pair;
  Counter counter;
  const Attached attached(*thread, counter, pair.near.get());
  EXPECT_TRUE(eventually([&] { return counter.count() > 0; }));
}

TEST(TcpIoThread, AKickDrivesAgain) {
  const auto thread = start();
  SocketPair pair;
  Counter counter(Wait::kick);
  const Attached attached(*thread, counter, pair.near.get());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(eventually([&] { return thread->asleep(); }));
    const int before = counter.count();
    thread->kick(counter);
    ASSERT_TRUE(eventually([&] { return counter.count() > before; })) << i;
  }
}

TEST(TcpIoThread, ALackOfMemoryEndsNeitherItNorTheProcess) {
  const auto thread = start();
  SocketPair pair;
  Starved starved;
  const Attached attached(*thread, starved, pair.near.get());
  ASSERT_TRUE(eventually([&] { return starved.told(); }));
  thread->kick(starved);
  EXPECT_TRUE(eventually([&] { return starved.driven_again(); }));
}

// Whatever the thread is doing meanwhile: what came before a kick is seen after it.
TEST(TcpIoThread, NoKickIsLost) {
  const auto thread = start();
  SocketPair pair;
  class Worker final : public IoTask {
   public:
    Wait drive() override {
      done.store(posted.load());
      return Wait::kick;
    }
    std::atomic<int> posted{0}, done{0};
  } worker;
  const Attached attached(*thread, worker, pair.near.get());
  for (int i = 1; i <= 20000; ++i) {
    worker.posted.store(i);
    thread->kick(worker);
    if (i % 7 == 0) {
      ASSERT_TRUE(eventually([&] { return worker.done.load() == i; })) << i;
    }
  }
  EXPECT_TRUE(eventually([&] { return worker.done.load() == 20000; }));
}

TEST(TcpIoThread, WhatAThreadKicksItKicksToo) {
  const auto thread = start();
  SocketPair one, other;
  Counter last(Wait::kick);
  class Relay final : public IoTask {
   public:
    Relay(IoThread& thread, IoTask& next) : thread_(thread), next_(next) {}
    Wait drive() override {
      thread_.kick(next_);
      return Wait::kick;
    }

   private:
    IoThread& thread_;
    IoTask& next_;
  } relay(*thread, last);
  const Attached second(*thread, last, one.near.get());
  ASSERT_TRUE(eventually([&] { return last.count() > 0 && thread->asleep(); }));
  const int before = last.count();
  const Attached first(*thread, relay, other.near.get());
  EXPECT_TRUE(eventually([&] { return last.count() > before; }));
}

TEST(TcpIoThread, BytesThatComeAreNoticedThoughNobodyKicks) {
  const auto thread = start();
  SocketPair pair;
  Reader reader(pair.near.get());
  const Attached attached(*thread, reader, pair.near.get());
  for (int i = 1; i <= 200; ++i) {
    pair.say();
    ASSERT_TRUE(eventually([&] { return reader.bytes() == i; })) << i;
  }
}

TEST(TcpIoThread, BytesThatWereThereBeforeAreFoundToo) {
  const auto thread = start();
  SocketPair pair;
  pair.say();
  Reader reader(pair.near.get());
  const Attached attached(*thread, reader, pair.near.get());
  EXPECT_TRUE(eventually([&] { return reader.bytes() == 1; }));
}

TEST(TcpIoThread, TheEndOfASocketIsNoticed) {
  const auto thread = start();
  SocketPair pair;
  Reader reader(pair.near.get());
  const Attached attached(*thread, reader, pair.near.get());
  pair.far.reset();
  EXPECT_TRUE(eventually([&] { return reader.ended(); }));
}

TEST(TcpIoThread, RoomInASocketIsNoticed) {
  const auto thread = start();
  SocketPair pair;
  class Writer final : public IoTask {
   public:
    explicit Writer(int fd) : fd_(fd) {}
    Wait drive() override {
      const std::array<char, 4096> bytes{};
      const ssize_t wrote = ::write(fd_, bytes.data(), bytes.size());
      if (wrote > 0) written.fetch_add(wrote);
      full.store(wrote <= 0);
      return wrote > 0 ? Wait::nothing : Wait::socket;
    }
    std::atomic<long> written{0};
    std::atomic<bool> full{false};

   private:
    const int fd_;
  } writer(pair.near.get());
  const Attached attached(*thread, writer, pair.near.get());
  ASSERT_TRUE(eventually([&] { return writer.full.load() && thread->asleep(); }));
  const long before = writer.written.load();
  std::array<char, 65536> sink;
  EXPECT_TRUE(eventually([&] {
    while (::read(pair.far.get(), sink.data(), sink.size()) > 0) {
    }
    return writer.written.load() > before + 100000;
  }));
}

TEST(TcpIoThread, EachOfManyGetsItsTurn) {
  const auto thread = start();
  constexpr std::size_t kMany = 200;
  std::vector<SocketPair> pairs(kMany);
  std::vector<std::unique_ptr<Counter>> busy;
  std::vector<std::unique_ptr<Attached>> attached;
  for (const SocketPair& pair : pairs) {
    busy.push_back(std::make_unique<Counter>(Wait::nothing));  // there is always more to do
    attached.push_back(std::make_unique<Attached>(*thread, *busy.back(), pair.near.get()));
  }
  EXPECT_TRUE(eventually([&] {
    return std::all_of(busy.begin(), busy.end(),
                       [](const auto& one) { return one->count() > 100; });
  }));
  // One that waits for its socket is not kept waiting by those that do not.
  SocketPair quiet;
  Reader reader(quiet.near.get());
  const Attached last(*thread, reader, quiet.near.get());
  quiet.say();
  EXPECT_TRUE(eventually([&] { return reader.bytes() == 1; }));
  for (const auto& one : busy) one->wait_for(Wait::kick);
}

TEST(TcpIoThread, OneThatHasEndedIsNotDrivenWithoutCause) {
  const auto thread = start();
  SocketPair pair;
  Counter counter(Wait::never);
  const Attached attached(*thread, counter, pair.near.get());
  ASSERT_TRUE(eventually([&] { return counter.count() > 0 && thread->asleep(); }));
  const int before = counter.count();
  SocketPair other;
  Counter neighbour(Wait::kick);
  const Attached also(*thread, neighbour, other.near.get());
  ASSERT_TRUE(eventually([&] { return neighbour.count() > 0 && thread->asleep(); }));
  EXPECT_EQ(counter.count(), before);
}

TEST(TcpIoThread, AfterDetachItIsNotDriven) {
  const auto thread = start();
  SocketPair pair;
  for (int i = 0; i < 3000; ++i) {
    Counter counter(i % 2 == 0 ? Wait::nothing : Wait::socket);
    ASSERT_TRUE(thread->attach(counter, pair.near.get()).ok());
    if (i % 5 == 0) {
      ASSERT_TRUE(eventually([&] { return counter.count() > 0; }));
    }
    thread->detach(counter, pair.near.get());
    const int then = counter.count();
    (void)!::write(pair.far.get(), "x", 1);  // which may be full
    EXPECT_EQ(counter.count(), then);
  }
}

// Busy or asleep, just kicked or just read, with others beside it that come and go as well.
TEST(TcpIoThread, DetachingWhileBusyIsSafeThousandsOfTimes) {
  const auto thread = start(std::chrono::microseconds(20));
  const std::uint64_t seed = seed_of_this_run();
  const auto churn = [&](std::uint64_t number) {
    std::mt19937_64 random(seed + number);
    SocketPair pair;
    for (int i = 0; i < 2000; ++i) {
      auto counter = std::make_unique<Counter>(
          std::array{Wait::nothing, Wait::kick, Wait::socket}[random() % 3]);
      ASSERT_TRUE(thread->attach(*counter, pair.near.get()).ok());
      for (std::uint64_t n = random() % 4; n > 0; --n) {
        if (random() % 2 == 0) thread->kick(*counter);
        if (random() % 2 == 0) (void)!::write(pair.far.get(), "x", 1);
        if (random() % 4 == 0) std::this_thread::yield();
      }
      thread->detach(*counter, pair.near.get());
    }
  };
  std::vector<std::thread> others;
  for (std::uint64_t number = 1; number < 4; ++number) others.emplace_back(churn, number);
  churn(0);
  for (std::thread& other : others) other.join();
}

// In the same places of memory, one after the other: a thread that still knew those before would
// drive the ones that were never attached.
TEST(TcpIoThread, WhatWasDetachedIsForgotten) {
  struct alignas(Counter) Place {
    std::array<std::byte, sizeof(Counter)> bytes;
  };
  const auto thread = start(std::chrono::milliseconds(1));
  std::mt19937_64 random(seed_of_this_run());
  SocketPair pair, other;
  Counter fence(Wait::kick);
  const Attached attached(*thread, fence, other.near.get());
  std::array<Place, 64> places;
  for (int round = 0; round < 2000; ++round) {
    for (Place& place : places) {
      auto* const first = new (place.bytes.data()) Counter(Wait::kick);
      ASSERT_TRUE(thread->attach(*first, pair.near.get()).ok());
      for (volatile std::uint64_t wait = random() % 256; wait > 0;) wait = wait - 1;
      thread->kick(*first);
      thread->detach(*first, pair.near.get());
      first->~Counter();
      new (place.bytes.data()) Counter(Wait::kick);  // never attached
    }
    const int before = fence.count();
    thread->kick(fence);
    ASSERT_TRUE(eventually([&] { return fence.count() > before; }));
    int driven = 0;
    for (Place& place : places) {
      auto* const never_attached = std::launder(reinterpret_cast<Counter*>(place.bytes.data()));
      driven += never_attached->count();
      never_attached->~Counter();
    }
    ASSERT_EQ(driven, 0) << "in round " << round;
  }
}

TEST(TcpIoThread, SleepsWhenThereIsNothingToDo) {
  const auto thread = start();
  SocketPair pair;
  Reader reader(pair.near.get());
  const Attached attached(*thread, reader, pair.near.get());
  pair.say();
  ASSERT_TRUE(eventually([&] { return reader.bytes() == 1 && thread->asleep(); }));
  const auto threads = threads_named("hw-io");
  ASSERT_EQ(threads.size(), 1u);
  EXPECT_LT(cpu_time_during(threads, Milliseconds(300)), Milliseconds(3));
}

// It looks on for a moment first; then a kick need not wake it.
TEST(TcpIoThread, LooksOnForAMomentBeforeItSleeps) {
  const auto thread = start(std::chrono::milliseconds(500));
  SocketPair pair;
  Counter counter(Wait::kick);
  const Attached attached(*thread, counter, pair.near.get());
  ASSERT_TRUE(eventually([&] { return counter.count() > 0; }));
  EXPECT_FALSE(thread->asleep());
  EXPECT_TRUE(eventually([&] { return thread->asleep(); }));
}

TEST(TcpIoThread, StopsAsleepOrBusy) {
  for (int i = 0; i < 200; ++i) {
    const auto thread = start(std::chrono::microseconds(i % 2 == 0 ? 0 : 1000));
    SocketPair pair;
    Counter counter(i % 3 == 0 ? Wait::nothing : Wait::kick);
    const Attached attached(*thread, counter, pair.near.get());
    if (i % 5 == 0) {
      ASSERT_TRUE(eventually([&] { return counter.count() > 0; }));
    }
  }
  EXPECT_TRUE(eventually([] { return threads_named("hw-io").empty(); }));
}

TEST(TcpIoThread, WhatCannotBeWatchedIsAnError) {
  const auto thread = start();
  Counter counter;
  const UniqueFd file(::open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(thread->attach(counter, file.get()).error().code(), Code::system);
}

TEST(TcpIoThread, LeavesSignalsToTheProgramsOwnThreads) {
  const auto thread = start();
  ASSERT_TRUE(eventually([] { return threads_named("hw-io0").size() == 1; }));
  std::ifstream status(fmt::format("/proc/self/task/{}/status", threads_named("hw-io0")[0]));
  std::string line;
  while (std::getline(status, line) && !line.starts_with("SigBlk:")) {
  }
  const std::uint64_t blocked = std::stoull(line.substr(line.find('\t')), nullptr, 16);
  for (const int signal : {SIGINT, SIGTERM, SIGALRM, SIGCHLD, SIGUSR1})
    EXPECT_TRUE(blocked >> (signal - 1) & 1) << signal;
}

TEST(TcpIoPool, WithNoThreadsWantedThereAreNone) {
  IoPool pool({0, {}, {}});
  EXPECT_EQ(pool.next(), nullptr);
  EXPECT_TRUE(threads_named("hw-io").empty());
}

TEST(TcpIoPool, StartsWithTheFirstThatAsksAndGivesThemInTurn) {
  IoPool pool({3, {}, {}});
  EXPECT_TRUE(threads_named("hw-io").empty());
  std::array<IoThread*, 3> first{};
  for (IoThread*& thread : first) thread = pool.next();
  EXPECT_EQ((std::set<IoThread*>(first.begin(), first.end()).size()), 3u);
  for (IoThread* const thread : first) EXPECT_EQ(pool.next(), thread);
  EXPECT_TRUE(eventually([] { return threads_named("hw-io").size() == 3; }));
}

TEST(TcpIoPool, ItsThreadsRunWhereTheyAreTold) {
  const int cpu = allowed_cpus().back();
  IoPool pool({1, {cpu}, {}});
  ASSERT_NE(pool.next(), nullptr);
  const auto runs_there = [&] {
    const auto threads = threads_named("hw-io0");
    cpu_set_t set;
    return threads.size() == 1 && ::sched_getaffinity(threads[0], sizeof set, &set) == 0 &&
           CPU_COUNT(&set) == 1 && CPU_ISSET(static_cast<std::size_t>(cpu), &set);
  };
  EXPECT_TRUE(eventually(runs_there));
}

TEST(TcpIoPool, WhereNoneOfTheCpusIsThereItRunsAnywayAndSaysSo) {
  std::vector<std::string> log;
  std::mutex mutex;
  set_log_sink([&](LogLevel, std::string_view line) {
    const std::lock_guard lock(mutex);
    log.emplace_back(line);
  });
  {
    IoPool pool({1, {65535}, {}});
    ASSERT_NE(pool.next(), nullptr);
    EXPECT_TRUE(eventually([&] {
      const std::lock_guard lock(mutex);
      return !log.empty();
    }));
  }
  set_log_sink({});
  ASSERT_EQ(log.size(), 1u);
  EXPECT_THAT(log[0], testing::HasSubstr("I/O thread 0 stays where it is"));
}

// Where there can be no more file descriptors there is no thread, and nobody minds.
TEST(TcpIoPool, WithoutWhatAThreadNeedsThereIsNone) {
  set_log_sink([](LogLevel, std::string_view) {});
  {
    IoPool pool({2, {}, {}});
    const NoMoreFiles none;
    EXPECT_EQ(pool.next(), nullptr);
    EXPECT_EQ(pool.next(), nullptr);
  }
  set_log_sink({});
}

TEST(TcpIoPool, ManyMayAskAtATime) {
  IoPool pool({2, {}, {}});
  std::vector<std::thread> askers;
  std::atomic<int> got{0};
  for (int i = 0; i < 8; ++i)
    askers.emplace_back([&] {
      for (int n = 0; n < 100; ++n) got += pool.next() != nullptr ? 1 : 0;
    });
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(got.load(), 800);
}

}  // namespace
}  // namespace hawser::tcp
