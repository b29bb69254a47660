// The kernel that is built in is the one whose source stands beside it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "gpu/kernels/copy_blocks_ptx.h"
#include "gpu/kernels/unpack_ptx.h"
#include "support/subprocess.h"

namespace hawser::test {
namespace {

using testing::HasSubstr;

const std::string kSourceFolder = HAWSER_TEST_SOURCE_DIR;
const std::string kKernelFolder = kSourceFolder + "/src/gpu/kernels/";

// The files are elsewhere where only the programs were carried to another machine.
bool source_is_here() {
  return std::filesystem::exists(kKernelFolder);
}

struct BuiltIn {
  std::string name;
  std::string entry;
  std::string ptx;
  std::string source_sha256;
};
const BuiltIn kBuiltIn[] = {
    {"copy_blocks", "hawser_copy_blocks", kCopyBlocksPtx, kCopyBlocksSourceSha256},
    {"unpack", "hawser_unpack", kUnpackPtx, kUnpackSourceSha256}};

TEST(GpuKernels, ArePtxThatOldDriversAndGpusTake) {
  for (const BuiltIn& kernel : kBuiltIn) {
    EXPECT_THAT(kernel.ptx, HasSubstr("\n.version 6.0\n.target sm_70\n.address_size 64\n"));
    EXPECT_THAT(kernel.ptx, HasSubstr(".visible .entry " + kernel.entry + "("));
    EXPECT_EQ(kernel.ptx.find(".local"), std::string::npos) << "an array went to memory";
  }
}

TEST(GpuKernels, AreMadeFromTheirSource) {
  if (!source_is_here()) GTEST_SKIP() << "no source here: " << kKernelFolder;
  for (const BuiltIn& kernel : kBuiltIn) {
    const std::string command =
        "cat " + kKernelFolder + "copy_tile.cuh " + kKernelFolder + kernel.name + ".cu | sha256sum";
    const auto outcome = run({{"sh", "-c", command}, {}, "", ""});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.describe();
    EXPECT_EQ(outcome.out.substr(0, 64), kernel.source_sha256)
        << kernel.name << "_ptx.h is stale: run scripts/make_kernels.sh";
  }
}

TEST(GpuKernels, AreWhatTheirCompilerMakes) {
  if (!source_is_here()) GTEST_SKIP() << "no source here: " << kKernelFolder;
  // Seconds of compiling, but over a minute on a machine with much else to do.
  const auto outcome = run({{kSourceFolder + "/scripts/make_kernels.sh", "--check"}, {}, "", ""},
                           std::chrono::minutes(5));
  if (outcome.exit_code == 3) GTEST_SKIP() << "not compiled again: " << outcome.err;
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
}

}  // namespace
}  // namespace hawser::test
