// An engine where there are no threads to be had: an error, and no end of the program.
#include "support/thread_limit.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>

#include "engine/fixture.h"
#include "support/sanitizers.h"

namespace hawser::test {
namespace {

// 0: it is Code::system; 1: it was created.
void create_with(std::size_t threads) {
  if (!allow_threads(threads)) ::_exit(kCannotLimitThreads);
  set_environment(plain_variant());
  EngineOptions options = engine_options(plain_variant());
  options.threads = 1;
  const auto engine = Engine::create(options);
  if (engine.ok()) ::_exit(1);
  std::fprintf(stderr, "%s", engine.error().message().c_str());
  ::_exit(engine.error().code() == Code::system ? 0 : 2);
}

TEST(EngineThreadsDeathTest, WithoutOneOfItsThreadsThereIsAnError) {
  if (kThreadSanitizer) GTEST_SKIP() << "the thread sanitizer has a thread of its own";
  if (::geteuid() != 0) GTEST_SKIP() << "only root can limit the threads of another user";
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // engines of other tests have threads
  const char* const in_order[] = {"hw-engine0", "hw-make", "hw-control", "hw-call0"};
  for (std::size_t threads = 0; threads < 4; ++threads)
    EXPECT_EXIT(create_with(threads), testing::ExitedWithCode(0),
                std::string("no thread is to be had for ") + in_order[threads] + ": .*ulimit -u");
  EXPECT_EXIT(create_with(4), testing::ExitedWithCode(1), "");
}

}  // namespace
}  // namespace hawser::test
