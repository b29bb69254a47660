// Random transfers of several threads over one link, against a model.
#include <future>
#include <memory>
#include <random>
#include <vector>

#include "engine/property_model.h"
#include "support/sanitizers.h"
#include "support/seed.h"

namespace hawser::test {
namespace {

using PropertyRandom = EngineTest;

const Milliseconds kTime{kSanitized ? 2000 : 4000};
constexpr std::size_t kThreads = 3;
constexpr std::size_t kAtOnce = 4;  // transfers of a thread

TEST_P(PropertyRandom, MemoryIsAsTheModelSays) {
  const std::uint64_t seed = seed_of_this_run();
  const Links links{near(), far()};
  const Deadline deadline = Deadline::after(kTime);
  std::vector<std::future<int>> threads;
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    threads.push_back(std::async(std::launch::async, [&, thread] {
      std::mt19937_64 random(seed + thread);
      std::vector<std::unique_ptr<ModelledPair>> pairs;
      for (std::size_t i = 0; i < kAtOnce; ++i)
        pairs.push_back(std::make_unique<ModelledPair>(client(), server(), variant(),
                                                       thread * kAtOnce + i, random()));
      int rounds = 0;
      for (; !deadline.expired() && !HasFailure(); ++rounds) {
        for (const auto& pair : pairs) pair->begin(links);
        for (const auto& pair : pairs) pair->maybe_cancel();
        for (const auto& pair : pairs) pair->finish_and_check();
        if (random() % 10 == 0) pairs[random() % kAtOnce]->renew();
      }
      return rounds;
    }));
  }
  int rounds = 0;
  for (auto& thread : threads) rounds += thread.get();
  RecordProperty("rounds", rounds);
  EXPECT_GT(rounds, 0);
}

HAWSER_ENGINE_SUITE(PropertyRandom);

}  // namespace
}  // namespace hawser::test
