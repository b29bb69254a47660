// Wrong words on the command line: exit status 2, and a text that says which.
#include <gtest/gtest.h>

#include "cli/validation_pair.h"
#include "support/temp_dir.h"

namespace hawser::test {
namespace {

Outcome hawser(Words words) {
  words.insert(words.begin(), hawser_program());
  return run({.args = words, .env = ValidationPair().server().env, .cwd = {}, .netns = {}});
}

void expect_usage_error(const Outcome& outcome, const std::string& pattern) {
  EXPECT_EQ(outcome.exit_code, 2) << outcome.describe();
  EXPECT_EQ(outcome.out, "") << outcome.describe();
  EXPECT_TRUE(matches(outcome.err, pattern)) << outcome.describe();
}

struct WrongWords {
  Words words;
  std::string pattern;
};
void PrintTo(const WrongWords& wrong, std::ostream* out) {
  for (const auto& word : wrong.words) *out << word << ' ';
}

class WrongOption : public testing::TestWithParam<WrongWords> {};
TEST_P(WrongOption, IsNamed) {
  expect_usage_error(hawser(GetParam().words), GetParam().pattern);
}
INSTANTIATE_TEST_SUITE_P(
    Usage, WrongOption,
    testing::Values(WrongWords{{}, "subcommand"},
                    WrongWords{{"frobnicate"}, "frobnicate|subcommand"},
                    WrongWords{{"validate"}, "role"},
                    WrongWords{{"validate", "both"}, "both|server"},
                    WrongWords{{"validate", "server", "--no-such-option"}, "no-such-option"},
                    WrongWords{{"validate", "server", "--channels", "0"}, "channels"},
                    WrongWords{{"validate", "server", "--channels", "1025"}, "channels"},
                    WrongWords{{"validate", "server", "--channels", "four"}, "channels"},
                    WrongWords{{"validate", "server", "--gpu", "-1"}, "gpu"},
                    WrongWords{{"validate", "server", "--gpu", "8000"}, "port|gpu"},
                    WrongWords{{"validate", "server", "--iterations", "0"}, "iterations"},
                    WrongWords{{"validate", "server", "--timeout", "0"}, "timeout"},
                    WrongWords{{"validate", "server", "--timeout", "-3"}, "timeout"},
                    WrongWords{{"validate", "server", "--timeout", "1e300"}, "timeout"},
                    WrongWords{{"validate", "server", "--timeout", "nan"}, "timeout"},
                    WrongWords{{"validate", "server", "--memory", "vram"}, "memory"},
                    WrongWords{{"validate", "server", "--port-base", "65535"}, "port"},
                    WrongWords{{"validate", "server", "--port-base", "-1"}, "port"},
                    WrongWords{{"validate", "server", "--bytes", "0"}, "bytes"},
                    WrongWords{{"validate", "server", "--bytes", "16Q"}, "bytes"},
                    WrongWords{{"perf", "server", "--timeout", "nan"}, "timeout"},
                    WrongWords{{"node", "server", "--memory", "1"}, "memory"},
                    WrongWords{{"validate", "client", "--address", ""}, "address"}));

// One table: what an option is called, and what it takes, is the same in every command.
TEST(Usage, CommandsHaveTheSameOptions) {
  for (const std::string command : {"validate", "perf", "node"}) {
    const std::string help = hawser({command, "--help"}).out;
    for (const char* option : {"--address", "--device,--dev", "--bytes BYTES", "--timeout SECONDS",
                               "--json", "--memory TEXT:\\{auto,host,cuda\\}",
                               "--chunk-bytes BYTES", "--isolate", "--plugin", "--port-base"})
      EXPECT_TRUE(matches(help, option)) << command << ' ' << option;
    EXPECT_FALSE(matches(help, "->")) << command << " shows numbers of enums: " << help;
  }
}

TEST(Usage, PagesProgramNamesItsWords) {
  const auto program = [](Words words) {
    words.insert(words.begin(), validation_program());
    return run({.args = words, .env = {}, .cwd = {}, .netns = {}});
  };
  expect_usage_error(program({}), "role");
  expect_usage_error(program({"client"}), "SERVER_IP");
  expect_usage_error(program({"server", "0.0.0.0", "zero"}), "gpu");
  expect_usage_error(program({"server", "0.0.0.0", "0", "0", "surplus"}), "surplus");
}

TEST(Usage, HelpAndVersionAreNoErrors) {
  EXPECT_EQ(hawser({"--help"}).exit_code, 0);
  EXPECT_TRUE(matches(hawser({"validate", "--help"}).out, "--serialize-create"));
  const Outcome version = hawser({"version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_TRUE(matches(version.out, "^[0-9]+\\.[0-9]+\\.[0-9]+\n$")) << version.out;
  EXPECT_EQ(hawser({"--version"}).out, version.out);
}

TEST(Usage, DeviceThatIsNotThereIsNamedWithWhatThereIs) {
  for (const char* dev : {"eth99", "99", "-1"}) {
    const Outcome outcome = hawser({"validate", "server", "--plugin", "builtin", "--memory", "host",
                                    std::string("--dev=") + dev});
    expect_could_not_run(outcome, "lo");
    EXPECT_TRUE(matches(outcome.err, dev)) << outcome.describe();
  }
}

TEST(Usage, PluginThatIsNotThereIsNamed) {
  ValidationPair pair;
  expect_could_not_run(run(pair.with("--plugin", "/nonexistent/libnccl-net.so").server()),
                       "/nonexistent/libnccl-net\\.so");
}

TEST(Usage, FileThatIsNoPluginIsNamed) {
  const TempDir dir;
  write_file(dir.file("libnccl-net-text.so"), "not an ELF file\n");
  ValidationPair pair;
  expect_could_not_run(run(pair.with("--plugin", dir.file("libnccl-net-text.so")).server()),
                       "libnccl-net-text\\.so");
}

TEST(Usage, BadEnvironmentIsNamed) {
  ValidationPair pair;
  pair.both = {"--plugin", "builtin"};
  pair.env.emplace_back("HAWSER_PORT_BASE", "many");
  const Outcome outcome = run(pair.server());
  EXPECT_EQ(outcome.exit_code, 2) << outcome.describe();
  EXPECT_TRUE(matches(outcome.err, "HAWSER_PORT_BASE=many: want a whole number from 1 to 65535"))
      << outcome.describe();
}

TEST(Usage, FullDiskUnderTheReportIsNoSuccess) {
  const ValidationPair pair;
  Command server = pair.server();
  std::string line = "exec \"$0\" \"$@\" > /dev/full";
  server.args.insert(server.args.begin(), {"sh", "-c", line});
  Subprocess serving(server);
  run(pair.client());
  const Outcome outcome = serving.wait();
  EXPECT_EQ(outcome.exit_code, 3) << outcome.describe();
  EXPECT_TRUE(matches(outcome.err, "[Nn]o space")) << outcome.describe();
}

// docs/parameters.md is what the program says today.
TEST(Usage, ParametersPageIsFresh) {
  const Outcome outcome = hawser({"parameters", "--markdown"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out, read_file(HAWSER_TEST_SOURCE_DIR "/docs/parameters.md"))
      << "run: build/release/tools/hawser/hawser parameters --markdown > docs/parameters.md";
}

}  // namespace
}  // namespace hawser::test
