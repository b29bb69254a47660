#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>

#include "support/netns.h"
#include "support/ports.h"
#include "support/subprocess.h"
#include "support/temp_dir.h"

namespace hawser::test {
namespace {

Command shell(const std::string& script) {
  return {.args = {"sh", "-c", script}, .env = {}, .cwd = {}, .netns = {}};
}

TEST(SubprocessSupport, KeepsStreamsApartAndTellsTheStatus) {
  const Outcome outcome = run(shell("echo out; echo err >&2; exit 7"));
  EXPECT_EQ(outcome.exit_code, 7);
  EXPECT_EQ(outcome.out, "out\n");
  EXPECT_EQ(outcome.err, "err\n");
}

TEST(SubprocessSupport, SetsAndUnsetsEnvironmentAndFolder) {
  Command command = shell("echo \"$HAWSER_X ${HOME-none}\"; pwd");
  command.with_env("HAWSER_X", "a b").with_env("HOME", "").cwd = "/usr";
  EXPECT_EQ(run(command).out, "a b none\n/usr\n");
}

TEST(SubprocessSupport, DrainsMoreThanAPipeHolds) {
  const Outcome outcome = run(shell("head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2"));
  EXPECT_EQ(outcome.out.size(), 1000000u);
  EXPECT_EQ(outcome.err.size(), 1000000u);
}

TEST(SubprocessSupport, TellsTheSignal) {
  Subprocess program(shell("echo ready; exec sleep 60"));
  ASSERT_TRUE(program.wait_for_output("ready"));
  EXPECT_TRUE(program.running());
  EXPECT_TRUE(program.send_signal(SIGKILL));
  EXPECT_EQ(program.wait().signal, SIGKILL);
  EXPECT_FALSE(program.send_signal(SIGKILL));
}

TEST(SubprocessSupport, OverrunIsKilledAndFailsTheTest) {
  Outcome outcome;
  EXPECT_NONFATAL_FAILURE(
      { outcome = run(shell("echo half; exec sleep 60"), std::chrono::milliseconds(200)); },
      "half");
  EXPECT_TRUE(outcome.timed_out);
  EXPECT_EQ(outcome.signal, SIGKILL);
}

TEST(SubprocessSupport, MissingOutputFailsTheTest) {
  Subprocess program(shell("echo something else"));
  EXPECT_NONFATAL_FAILURE({ EXPECT_FALSE(program.wait_for_output("^wanted")); }, "something else");
}

TEST(SubprocessSupport, EndsThoughAGrandchildHoldsThePipes) {
  Subprocess program(shell("sleep 60 & echo started"));
  EXPECT_EQ(program.wait(std::chrono::seconds(10)).exit_code, 0);
}

TEST(SubprocessSupport, TwoPortRangesDoNotOverlap) {
  const PortRange one, other;
  EXPECT_GE(std::abs(one.base() - other.base()), PortRange::kCount);
  EXPECT_TRUE(listen_on_loopback(one.base()).valid());
}

TEST(SubprocessSupport, TempDirIsRemoved) {
  std::string path;
  {
    const TempDir dir;
    path = dir.path();
    write_file(dir.file("x"), "text");
    EXPECT_EQ(read_file(dir.file("x")), "text");
  }
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

TEST(NetnsSupport, PairReachesEachOtherAndGoesAway) {
  std::string why_not, name;
  {
    const auto pair = NamespacePair::create(2, why_not);
    if (!pair) GTEST_SKIP() << why_not;
    name = pair->a();
    Command command = shell("ip -o addr show hw1; ip route get 10.77.1.2");
    command.netns = name;
    const Outcome outcome = run(command);
    EXPECT_NE(outcome.out.find("10.77.1.1/24"), std::string::npos) << outcome.describe();
    EXPECT_NE(outcome.out.find("dev hw1"), std::string::npos) << outcome.describe();
  }
  EXPECT_NE(access(("/run/netns/" + name).c_str(), F_OK), 0);
}

}  // namespace
}  // namespace hawser::test
