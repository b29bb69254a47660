// Receives out of a bounce pool, as a user meets them: modes, and pools that are nearly too small.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "cli/node_pair.h"
#include "cli/validation_pair.h"
#include "support/temp_dir.h"

namespace hawser::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kPage = 4096;

Command measurement(const Words& options) {
  Command command{.args = {hawser_program(), "perf", "--loopback", "--over", "net", "--plugin", emulator_plugin(),
                           "--channels", "8", "--bidirectional", "--mode", "stream", "--repeats",
                           "2", "--duration-ms", "50", "--bare-sockets", "0", "--timeout", "20"},
                  .env = {{"HAWSER_SOCKET_IFNAME", "lo"}},
                  .cwd = {},
                  .netns = {}};
  command.args.insert(command.args.end(), options.begin(), options.end());
  return command;
}

// Without a bound all of these stand still for good: each receive holds a part of what it needs.
struct SmallPool {
  const char* fragments;
  std::size_t pages;
  const char* chunk_bytes;
};
void PrintTo(const SmallPool& pool, std::ostream* out) {
  *out << pool.fragments << " in " << pool.pages << " pages";
}

class UnpackSmallPool : public testing::TestWithParam<SmallPool> {
 protected:
  Command command(const Words& more) const {
    Words options = {"--sizes", "2M", "--chunk-bytes", GetParam().chunk_bytes};
    options.insert(options.end(), more.begin(), more.end());
    Command made = measurement(options);
    made.with_env("HAWSER_EMU_FRAGMENTS", GetParam().fragments);
    made.with_env("HAWSER_EMU_POOL_PAGES", std::to_string(GetParam().pages));
    return made;
  }
};
INSTANTIATE_TEST_SUITE_P(, UnpackSmallPool,
                         testing::Values(SmallPool{"pages", 300, "524288"},
                                         SmallPool{"mixed", 300, "524288"},
                                         SmallPool{"scattered", 160, "524288"},
                                         SmallPool{"tiny", 400, "65536"}),
                         [](const auto& tested) { return std::string(tested.param.fragments); });

TEST_P(UnpackSmallPool, NeverStandsStillWhereItsSizeIsGiven) {
  Command bounded = command({});
  bounded.with_env("HAWSER_UNPACK_POOL_BYTES", std::to_string(GetParam().pages * kPage));
  const Outcome outcome = run(bounded);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
}

// The driver knows the size of a pool in GPU memory.
TEST_P(UnpackSmallPool, NeverStandsStillOnAGpu) {
  Command on_gpu = command({"--memory", "cuda"});
  on_gpu.with_env("HAWSER_CUDA_LIBRARY", simulated_cuda());
  on_gpu.with_env("HAWSER_CUDASIM_GPUS", "1");
  on_gpu.with_env("HAWSER_EMU_BOUNCE", "cuda");
  const Outcome outcome = run(on_gpu);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
  EXPECT_THAT(outcome.out, HasSubstr("unpack kernel"));
}

TEST(UnpackCli, ANodeInASmallPoolMovesDataBothWays) {
  NodePair pair;
  pair.both[1] = emulator_plugin();
  pair.where[1] = "2";
  pair.client_only = {"--channels", "4", "--bytes", "4194304", "--iterations", "3"};
  pair.env.emplace_back("HAWSER_EMU_POOL_PAGES", "300");
  pair.env.emplace_back("HAWSER_UNPACK_POOL_BYTES", std::to_string(300 * kPage));
  const Outcomes outcomes = pair.run();
  EXPECT_EQ(outcomes.server.exit_code, 0) << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
}

class UnpackMode : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(, UnpackMode, testing::Values("kernel", "d2d", "host"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST_P(UnpackMode, IsUsedAndReported) {
  const TempDir dir;
  ValidationPair pair;
  pair.emulated().simulated_gpu().with("--bytes", "3000001");
  pair.env.emplace_back("HAWSER_UNPACK", GetParam());
  pair.server_only.insert(pair.server_only.end(), {"--json", dir.file("server.json")});
  const Outcomes outcomes = pair.run();
  EXPECT_EQ(outcomes.server.exit_code, 0) << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
  EXPECT_THAT(outcomes.server.err, HasSubstr(std::string("unpacked by: ") + GetParam()));
  EXPECT_EQ(json::parse(read_file(dir.file("server.json"))).at("unpack"), GetParam());
}

TEST(UnpackCli, TheBestModeIsChosenForTheMemory) {
  ValidationPair pair;
  pair.emulated().simulated_gpu();
  EXPECT_THAT(pair.run().server.err, HasSubstr("unpacked by: kernel"));
  ValidationPair on_host;
  on_host.emulated();
  EXPECT_THAT(on_host.run().server.err, HasSubstr("unpacked by: host"));
}

TEST(UnpackCli, NoneMeasuresTheNetworkAloneAndSaysSo) {
  Command command = measurement({"--sizes", "1M"});
  command.with_env("HAWSER_UNPACK", "none");
  const Outcome outcome = run(command);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
  EXPECT_THAT(outcome.out, HasSubstr("unpack none (the network alone"));
  EXPECT_THAT(outcome.out, HasSubstr("NOT VERIFIED"));
}

TEST(UnpackCli, NoneIsRefusedByAValidation) {
  ValidationPair pair;
  pair.emulated();
  pair.env.emplace_back("HAWSER_UNPACK", "none");
  const Outcome outcome = run(pair.client());
  EXPECT_EQ(outcome.exit_code, 3) << outcome.describe();
  EXPECT_THAT(outcome.err, HasSubstr("there would be nothing to validate"));
}

TEST(UnpackCli, AModeThatCannotBeIsAnError) {
  ValidationPair pair;
  pair.emulated().with("--timeout", "5");
  pair.env.emplace_back("HAWSER_UNPACK", "kernel");
  const Outcomes outcomes = pair.run();
  EXPECT_NE(outcomes.server.exit_code, 0) << outcomes.server.describe();
  EXPECT_THAT(outcomes.server.err, HasSubstr("the unpack mode kernel wants a GPU"));
  pair.env.back().second = "fast";
  const Outcome unknown = run(pair.client());
  EXPECT_EQ(unknown.exit_code, 3) << unknown.describe();
  EXPECT_THAT(unknown.err, HasSubstr("HAWSER_UNPACK"));
}

}  // namespace
}  // namespace hawser::test
