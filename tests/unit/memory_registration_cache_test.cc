#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "memory/registration_cache.h"

namespace hawser {
namespace {

constexpr RegistrationCache::Scope kDevice = 7;

MemoryRange range_at(std::uintptr_t address, std::size_t bytes) {
  return {reinterpret_cast<void*>(address), bytes, MemoryKind::host, -1};
}

// Counts what is registered, as a plugin would see it, and notices a (scope, range) that
// is registered twice at a time, or dropped while it is not.
class Device {
 public:
  RegistrationCache::Make make(RegistrationCache::Scope scope = kDevice) {
    return [this, scope](const MemoryRange& range) -> Result<void*> {
      const std::lock_guard lock(mutex_);
      ++made_;
      if (++alive_[{scope, range.address(), range.bytes}] > 1) ++doubles_;
      scopes_.push_back(scope);
      ranges_.push_back(range);
      return reinterpret_cast<void*>(ranges_.size());
    };
  }
  RegistrationCache::Drop drop() {
    return [this](void* registration) {
      const std::lock_guard lock(mutex_);
      const std::size_t at = reinterpret_cast<std::uintptr_t>(registration) - 1;
      ++dropped_;
      if (--alive_[{scopes_[at], ranges_[at].address(), ranges_[at].bytes}] < 0) ++doubles_;
    };
  }
  int made() const { return locked(made_); }
  int dropped() const { return locked(dropped_); }
  int doubles() const { return locked(doubles_); }

 private:
  int locked(const int& counter) const {
    const std::lock_guard lock(mutex_);
    return counter;
  }

  mutable std::mutex mutex_;
  std::map<std::tuple<std::uintptr_t, std::uintptr_t, std::size_t>, int> alive_;
  std::vector<RegistrationCache::Scope> scopes_;
  std::vector<MemoryRange> ranges_;
  int made_ = 0;
  int dropped_ = 0;
  int doubles_ = 0;
};

class RegistrationCacheTest : public testing::Test {
 protected:
  RegistrationCache::Lease acquire(const MemoryRange& range,
                                   RegistrationCache::Scope scope = kDevice) {
    auto lease = cache_.acquire(scope, range, device_.make(scope), device_.drop());
    EXPECT_TRUE(lease.ok());
    return *lease;
  }

  Device device_;
  RegistrationCache cache_;
};

TEST_F(RegistrationCacheTest, TheSameRangeIsRegisteredOnce) {
  const auto one = acquire(range_at(0x1000, 4096));
  const auto two = acquire(range_at(0x1000, 4096));
  EXPECT_EQ(device_.made(), 1);
  EXPECT_EQ(one.registration(), two.registration());
}

TEST_F(RegistrationCacheTest, ARangeInsideARegisteredOneSharesItAndSeesItsBounds) {
  const auto outer = acquire(range_at(0x1000, 4096));
  const auto head = acquire(range_at(0x1000, 1));
  const auto tail = acquire(range_at(0x1fff, 1));
  EXPECT_EQ(device_.made(), 1);
  EXPECT_EQ(tail.registration(), outer.registration());
  EXPECT_EQ(head.range().address(), 0x1000u);
  EXPECT_EQ(tail.range().bytes, 4096u);
}

TEST_F(RegistrationCacheTest, RangesThatOnlyOverlapAreRegisteredEachForItself) {
  const auto left = acquire(range_at(0x1000, 0x1000));
  const auto right = acquire(range_at(0x1800, 0x1000));
  const auto around = acquire(range_at(0x0800, 0x3000));
  EXPECT_EQ(device_.made(), 3);
  EXPECT_EQ(cache_.size(), 3u);
}

TEST_F(RegistrationCacheTest, OneByteTooLongIsNotInside) {
  const auto outer = acquire(range_at(0x1000, 4096));
  const auto longer = acquire(range_at(0x1001, 4096));
  EXPECT_EQ(device_.made(), 2);
}

TEST_F(RegistrationCacheTest, AContainingRangeIsFoundBehindOneThatOnlyOverlaps) {
  const auto wide = acquire(range_at(0x1000, 0x4000));
  const auto narrow_but_nearer = acquire(range_at(0x0f00, 0x1200));
  const auto wanted = acquire(range_at(0x2000, 0x1000));
  EXPECT_EQ(wanted.registration(), wide.registration());
  EXPECT_EQ(device_.made(), 2);
}

TEST_F(RegistrationCacheTest, ScopesKindsAndGpusShareNothing) {
  MemoryRange range = range_at(0x1000, 4096);
  std::vector<RegistrationCache::Lease> leases{acquire(range, 1), acquire(range, 2)};
  range.kind = MemoryKind::cuda;
  for (range.gpu = 0; range.gpu < 2; ++range.gpu) leases.push_back(acquire(range, 3));
  EXPECT_EQ(device_.made(), 4);
}

TEST_F(RegistrationCacheTest, TheLastLeaseDropsIt) {
  std::optional one = acquire(range_at(0x1000, 4096));
  std::optional copy = one;
  std::optional inner = acquire(range_at(0x1800, 16));
  one.reset();
  copy.reset();
  EXPECT_EQ(device_.dropped(), 0);
  inner.reset();
  EXPECT_EQ(device_.dropped(), 1);
  EXPECT_EQ(cache_.size(), 0u);
}

TEST_F(RegistrationCacheTest, ADroppedRangeIsMadeAnew) {
  acquire(range_at(0x1000, 4096));
  acquire(range_at(0x1000, 4096));
  EXPECT_EQ(device_.made(), 2);
  EXPECT_EQ(device_.dropped(), 2);
}

TEST_F(RegistrationCacheTest, ALeaseMayOutliveTheCache) {
  auto cache = std::make_unique<RegistrationCache>();
  std::optional lease =
      *cache->acquire(kDevice, range_at(0x1000, 4096), device_.make(), device_.drop());
  cache.reset();
  EXPECT_EQ(device_.dropped(), 0);
  lease.reset();
  EXPECT_EQ(device_.dropped(), 1);
}

TEST_F(RegistrationCacheTest, DropMayUseTheCache) {
  std::size_t seen = 99;
  const auto drop = [&](void*) { seen = cache_.size(); };
  EXPECT_TRUE(cache_.acquire(kDevice, range_at(0x1000, 4096), device_.make(), drop).ok());
  EXPECT_EQ(seen, 1u);  // still counted while it is being dropped
}

TEST_F(RegistrationCacheTest, AFailureIsToldAndNotRemembered) {
  const auto fail = [](const MemoryRange&) -> Result<void*> { return Error(Code::plugin, "no"); };
  const auto failed = cache_.acquire(kDevice, range_at(0x1000, 4096), fail, device_.drop());
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), Code::plugin);
  EXPECT_EQ(cache_.size(), 0u);
  acquire(range_at(0x1000, 4096));
  EXPECT_EQ(device_.made(), 1);
  EXPECT_EQ(device_.dropped(), 1);  // the failed one was never there to drop
}

TEST_F(RegistrationCacheTest, RefusesWhatIsNoMemory) {
  for (const auto& range : {range_at(0, 4096), range_at(0x1000, 0), range_at(0x1000, SIZE_MAX)}) {
    const auto lease = cache_.acquire(kDevice, range, device_.make(), device_.drop());
    ASSERT_FALSE(lease.ok());
    EXPECT_EQ(lease.error().code(), Code::invalid_argument);
  }
  EXPECT_EQ(device_.made(), 0);
}

// Starts a registration in a thread of its own that ends when `finish` is told its outcome.
struct SlowMaker {
  SlowMaker(RegistrationCache& cache, const MemoryRange& range)
      : outcome(std::async(std::launch::async, [this, &cache, range] {
          const auto make = [this](const MemoryRange&) {
            started.set_value();
            return told.get();
          };
          return cache.acquire(kDevice, range, make, [](void*) {});
        })) {
    started.get_future().wait();
  }

  std::promise<void> started;
  std::promise<Result<void*>> finish;
  std::future<Result<void*>> told = finish.get_future();
  std::future<Result<RegistrationCache::Lease>> outcome;
};

// Whether the threads already wait inside the cache cannot be seen from outside: either
// way the outcome must be the same, so nothing here depends on the schedule.
TEST_F(RegistrationCacheTest, WaitersShareARegistrationBeingMade) {
  SlowMaker maker(cache_, range_at(0x1000, 4096));
  std::vector<std::future<void*>> waiters;
  for (std::uintptr_t i = 0; i < 4; ++i)
    waiters.push_back(std::async(std::launch::async, [this, i] {
      return acquire(range_at(0x1000 + i, 64)).registration();
    }));
  int token = 0;
  maker.finish.set_value(static_cast<void*>(&token));
  const auto made = maker.outcome.get();
  for (auto& waiter : waiters) EXPECT_EQ(waiter.get(), &token);
  EXPECT_EQ(device_.made(), 0);
}

TEST_F(RegistrationCacheTest, ASlowRegistrationDoesNotDelayOthers) {
  SlowMaker maker(cache_, range_at(0x1000, 4096));
  acquire(range_at(0x9000, 4096));
  acquire(range_at(0x1000, 4096), kDevice + 1);
  EXPECT_EQ(device_.made(), 2);
  maker.finish.set_value(Error(Code::plugin, "no"));
  EXPECT_FALSE(maker.outcome.get().ok());
}

TEST_F(RegistrationCacheTest, NobodyMakesItWhileItIsBeingDropped) {
  std::promise<void> dropping, finish_drop;
  std::atomic<bool> dropped{false};
  auto holder = std::async(std::launch::async, [&] {
    const auto drop = [&](void*) {
      dropping.set_value();
      finish_drop.get_future().wait();
      dropped = true;
    };
    return cache_.acquire(kDevice, range_at(0x1000, 4096), device_.make(), drop).ok();
  });
  dropping.get_future().wait();
  auto next = std::async(std::launch::async, [&] {
    const auto make = [&](const MemoryRange&) -> Result<void*> {
      EXPECT_TRUE(dropped);
      return nullptr;
    };
    return cache_.acquire(kDevice, range_at(0x1800, 16), make, [](void*) {}).ok();
  });
  finish_drop.set_value();
  EXPECT_TRUE(holder.get());
  EXPECT_TRUE(next.get());
}

// Many threads take and let go of overlapping ranges; registrations fail now and then.
TEST_F(RegistrationCacheTest, StressNeverRegistersTwiceAndLosesNothing) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  constexpr int kThreads = 8, kRounds = 2000;
  std::atomic<int> outside{0};
  const auto work = [&](unsigned thread) {
    std::mt19937 random(seed + thread);
    std::vector<RegistrationCache::Lease> held(4);
    for (int round = 0; round < kRounds; ++round) {
      const auto wanted = range_at(0x1000 * (1 + random() % 4), 0x1000 * (1 + random() % 3));
      const RegistrationCache::Scope scope = random() % 2;
      const bool fail = random() % 16 == 0;
      const auto make = [&](const MemoryRange& range) -> Result<void*> {
        if (fail) return Error(Code::plugin, "now and then");
        return device_.make(scope)(range);
      };
      auto lease = cache_.acquire(scope, wanted, make, device_.drop());
      if (lease.ok() && !lease->range().contains(wanted)) ++outside;
      held[random() % held.size()] = lease.ok() ? *lease : RegistrationCache::Lease();
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back(work, i);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(outside, 0);
  EXPECT_EQ(device_.doubles(), 0);
  EXPECT_GT(device_.made(), 0);
  EXPECT_EQ(device_.made(), device_.dropped());
  EXPECT_EQ(cache_.size(), 0u);
}

// Threads that all keep their lease make exactly one registration per (scope, range).
TEST_F(RegistrationCacheTest, ManyThreadsMakeOneRegistrationPerScope) {
  constexpr int kThreads = 16, kScopes = 3;
  std::vector<std::future<std::vector<RegistrationCache::Lease>>> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.push_back(std::async(std::launch::async, [this] {
      std::vector<RegistrationCache::Lease> leases;
      for (RegistrationCache::Scope scope = 0; scope < kScopes; ++scope)
        leases.push_back(acquire(range_at(0x10000, 1 << 20), scope));
      return leases;
    }));
  std::vector<std::vector<RegistrationCache::Lease>> all;
  for (auto& thread : threads) all.push_back(thread.get());
  EXPECT_EQ(device_.made(), kScopes);
  EXPECT_EQ(cache_.size(), static_cast<std::size_t>(kScopes));
  all.clear();
  EXPECT_EQ(device_.dropped(), kScopes);
}

}  // namespace
}  // namespace hawser
