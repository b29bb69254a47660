// The kernel that is built in is the one whose source stands beside it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "gpu/kernels/copy_blocks_ptx.h"
#include "support/subprocess.h"

namespace hawser::test {
namespace {

using testing::HasSubstr;

const std::string kSourceFolder = HAWSER_TEST_SOURCE_DIR;
const std::string kKernelSource = kSourceFolder + "/src/gpu/kernels/copy_blocks.cu";

// The file is elsewhere where only the programs were carried to another machine.
bool source_is_here() {
  return std::filesystem::exists(kKernelSource);
}

TEST(GpuKernels, ArePtxThatOldDriversAndGpusTake) {
  const std::string ptx = kCopyBlocksPtx;
  EXPECT_THAT(ptx, HasSubstr("\n.version 6.0\n.target sm_70\n.address_size 64\n"));
  EXPECT_THAT(ptx, HasSubstr(".visible .entry hawser_copy_blocks("));
  EXPECT_EQ(ptx.find(".local"), std::string::npos) << "an array went to memory";
}

TEST(GpuKernels, AreMadeFromTheirSource) {
  if (!source_is_here()) GTEST_SKIP() << "no source here: " << kKernelSource;
  const auto outcome = run({{"sha256sum", kKernelSource}, {}, "", ""});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.describe();
  EXPECT_EQ(outcome.out.substr(0, 64), kCopyBlocksSourceSha256)
      << "copy_blocks_ptx.h is stale: run scripts/make_kernels.sh";
}

TEST(GpuKernels, AreWhatTheirCompilerMakes) {
  if (!source_is_here()) GTEST_SKIP() << "no source here: " << kKernelSource;
  const auto outcome = run({{kSourceFolder + "/scripts/make_kernels.sh", "--check"}, {}, "", ""});
  if (outcome.exit_code == 3) GTEST_SKIP() << "not compiled again: " << outcome.err;
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
}

}  // namespace
}  // namespace hawser::test
