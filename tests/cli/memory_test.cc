// Whose memory: host by choice, a GPU's, and what is said when there is no GPU.
#include <gtest/gtest.h>

#include "cli/page.h"
#include "cli/validation_pair.h"

namespace hawser::test {
namespace {

constexpr const char* kNoDriver = "/nonexistent/libcuda.so.1";

void expect_passed(const Outcomes& outcomes, const std::string& devmem) {
  for (const Outcome* outcome : {&outcomes.server, &outcomes.client}) {
    EXPECT_EQ(outcome->exit_code, 0) << outcome->describe();
    EXPECT_NE(outcome->out.find("\nDevmem conflicts: " + devmem + "\n"), std::string::npos)
        << outcome->describe();
  }
}

TEST(Memory, CudaWithoutDriverSaysWhatIsMissing) {
  ValidationPair pair;
  pair.with("--memory", "cuda").env.emplace_back("HAWSER_CUDA_LIBRARY", kNoDriver);
  const Outcome outcome = run(pair.server());
  expect_could_not_run(outcome, "/nonexistent/libcuda\\.so\\.1");
  EXPECT_EQ(outcome.out, "");
}

TEST(Memory, AutoWithoutDriverTakesHostMemoryAndSaysSo) {
  ValidationPair pair;
  pair.with("--memory", "auto").env.emplace_back("HAWSER_CUDA_LIBRARY", kNoDriver);
  const Outcomes outcomes = pair.run();
  expect_passed(outcomes, kHostOverTcp);
  EXPECT_TRUE(matches(outcomes.server.err, "host memory.*libcuda")) << outcomes.server.describe();
}

TEST(Memory, SimulatedGpuOverBuiltInTcpIsStaged) {
  ValidationPair pair;
  expect_passed(pair.simulated_gpu().run(), kStagedOverTcp);
}

TEST(Memory, SimulatedGpuOverEmulatedTcpxIsUnpacked) {
  ValidationPair pair;
  expect_passed(pair.simulated_gpu().emulated().run(), kCudaOverEmulator);
}

TEST(Memory, SimulatedGpuOddBytesAndManyChannels) {
  ValidationPair pair;
  pair.simulated_gpu().emulated().with("--bytes", "2097153").with("--channels", "8");
  const Outcomes outcomes = pair.run();
  EXPECT_EQ(outcomes.server.exit_code, 0) << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
}

TEST(Memory, GpuOnOneSideOnly) {
  ValidationPair pair;
  pair.with("--memory", "auto");
  pair.server_env.emplace_back("HAWSER_CUDA_LIBRARY", simulated_cuda());
  pair.client_env.emplace_back("HAWSER_CUDA_LIBRARY", kNoDriver);
  const Outcomes outcomes = pair.run();
  EXPECT_EQ(outcomes.server.exit_code, 0) << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
}

TEST(Memory, GpuThatIsNotThere) {
  ValidationPair pair;
  pair.simulated_gpu().gpu = 99;
  expect_could_not_run(run(pair.server()), "99");
}

// Runs where a GPU is; the built-in TCP stages through pinned memory.
TEST(MemoryOfARealGpu, OverBuiltInTcpAndEmulator) {
  ValidationPair pair;
  pair.with("--memory", "cuda");
  const Outcome devices = run({.args = {hawser_program(), "devices", "--plugin", "builtin"},
                               .env = pair.server().env,
                               .cwd = {},
                               .netns = {}});
  if (devices.out.find("GPUs:\n") == std::string::npos)
    GTEST_SKIP() << "no usable GPU on this machine";
  expect_passed(pair.run(), kStagedOverTcp);
  expect_passed(pair.emulated().run(), kCudaOverEmulator);
}

}  // namespace
}  // namespace hawser::test
