// The programs of examples/, as their readers run them; and what docs/api.md shows of them.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "cli/validation_pair.h"
#include "support/built.h"
#include "support/temp_dir.h"

namespace hawser::test {
namespace {

constexpr std::chrono::seconds kExampleTime{120};

Environment example_environment() {
  Environment env = ValidationPair().env;
  env.emplace_back("HAWSER_SOCKET_IFNAME", "=lo");
  return env;
}

Command example(const std::string& name, const Words& words, const Environment& more = {}) {
  Command command{.args = {built("examples/") + name}, .env = more, .cwd = {}, .netns = {}};
  command.args.insert(command.args.end(), words.begin(), words.end());
  for (const auto& entry : example_environment())
    if (std::none_of(more.begin(), more.end(),
                     [&](const auto& given) { return given.first == entry.first; }))
      command.env.push_back(entry);
  return command;
}

// Server and client; `first` goes before their roles.
Outcomes run_pair(const std::string& server, const std::string& client, const Words& first = {},
                  const Environment& env = {}) {
  const PortRange ports;
  const std::string port = std::to_string(ports.base());
  Words serve = first, ask = first;
  serve.insert(serve.end(), {"server", port});
  ask.insert(ask.end(), {"client", "127.0.0.1", port});
  Subprocess serving(example(server, serve, env)), asking(example(client, ask, env));
  Outcomes outcomes;
  outcomes.client = asking.wait(kExampleTime);
  outcomes.server = serving.wait(kExampleTime);
  return outcomes;
}

void expect_said(const Outcome& outcome, const std::string& pattern) {
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
  EXPECT_TRUE(matches(outcome.out, pattern)) << "want " << pattern << ": " << outcome.describe();
}

// Not there where the build was told to leave them out.
class Examples : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(built("examples/hello")))
      GTEST_SKIP() << "the examples were not built: HAWSER_BUILD_EXAMPLES";
  }
};

// In C++ and in C; they say the same to each other.
TEST_F(Examples, HelloMovesEveryByte) {
  for (const char* server : {"hello", "hello_c"})
    for (const char* client : {"hello", "hello_c"}) {
      const Outcomes outcomes = run_pair(server, client);
      expect_said(outcomes.server, "told 'hello', and all 16777216 bytes are right");
      expect_said(outcomes.client, "the server says 'every byte is right'");
    }
}

TEST_F(Examples, GpuWriteBetweenSimulatedGpus) {
  const Outcomes outcomes =
      run_pair("gpu_write", "gpu_write", {}, {{"HAWSER_CUDA_LIBRARY", simulated_cuda()}});
  expect_said(outcomes.server, "of GPU 0\n.*all 16777216 bytes in GPU memory are right");
  expect_said(outcomes.client, "of GPU 0\n.*the server says 'every byte is right'");
}

TEST_F(Examples, GpuWriteWithoutGpuIsSkipped) {
  const Environment env = {{"HAWSER_CUDA_LIBRARY", "/nonexistent/libcuda.so.1"}};
  const Outcome outcome = run(example("gpu_write", {"server"}, env));
  EXPECT_EQ(outcome.exit_code, 77) << outcome.describe();
  EXPECT_TRUE(matches(outcome.err, "skipped: no CUDA driver: .*nonexistent")) << outcome.err;
}

// Runs where a GPU is.
using ExamplesOnARealGpu = Examples;
TEST_F(ExamplesOnARealGpu, GpuWrite) {
  const Outcomes outcomes = run_pair("gpu_write", "gpu_write");
  if (outcomes.server.exit_code == 77) GTEST_SKIP() << outcomes.server.err;
  expect_said(outcomes.server, "all 16777216 bytes in GPU memory are right");
  expect_said(outcomes.client, "the server says 'every byte is right'");
}

TEST_F(Examples, KvCacheArrivesLayerByLayer) {
  const Outcomes outcomes = run_pair("kv_cache", "kv_cache");
  expect_said(outcomes.client, "wrote 8 layers of 1024 blocks, 67108864 bytes");
  for (int layer = 0; layer < 8; ++layer)
    expect_said(outcomes.server, "layer " + std::to_string(layer) + " is there, and right");
  expect_said(outcomes.server, "no other block was touched");
}

class ExamplesOverPlugins : public Examples, public testing::WithParamInterface<const char*> {};

TEST_P(ExamplesOverPlugins, MovesVerifiedData) {
  const std::string plugin = built("") + std::string(GetParam());
  const Outcomes outcomes = run_pair("host_plugin", "host_plugin", {plugin});
  expect_said(outcomes.client, "read 8388608 bytes, all right");
  expect_said(outcomes.server, "got 8388608 bytes back, all right");
}

INSTANTIATE_TEST_SUITE_P(Plugins, ExamplesOverPlugins,
                         testing::Values("tests/plugins/libnccl-net-loopback-v5.so",
                                         "tests/plugins/libnccl-net-loopback-v8.so",
                                         "tests/plugins/libnccl-net-loopback-v12.so",
                                         "src/nccl/libnccl-net-hawser.so"));

TEST_F(Examples, HostPluginNamesWhatIsMissing) {
  const Outcome outcome = run(example("host_plugin", {"/nonexistent/plugin.so", "server"}));
  EXPECT_EQ(outcome.exit_code, 1) << outcome.describe();
  EXPECT_TRUE(matches(outcome.err, "error: hosting .*nonexistent/plugin\\.so")) << outcome.err;
}

TEST_F(Examples, SayHowTheyAreUsed) {
  for (const char* name : {"hello", "hello_c", "gpu_write", "kv_cache", "host_plugin"})
    for (const Words& words : {Words{}, Words{"sideways"}, Words{"client"}}) {
      const Outcome outcome = run(example(name, words));
      EXPECT_EQ(outcome.exit_code, 2) << outcome.describe();
      EXPECT_TRUE(matches(outcome.err, "^usage: " + std::string(name))) << outcome.err;
    }
}

TEST(CApi, ProgramInCFindsAllAsItShouldBe) {
  Command command{.args = {built("tests/capi/capi_program")},
                  .env = example_environment(),
                  .cwd = {},
                  .netns = {}};
  expect_said(run(command, kExampleTime), "^[0-9]+ checks, 0 failed\n$");
}

// ---- docs/api.md ----

// Code of the page that follows a line "<!-- from FILE -->".
struct Snippet {
  std::string file;
  std::string code;
};

std::vector<Snippet> snippets_of_page() {
  std::istringstream in(read_file(HAWSER_TEST_SOURCE_DIR "/docs/api.md"));
  std::vector<Snippet> found;
  const std::regex mark("^<!-- from (.*) -->$");
  std::smatch match;
  for (std::string line; std::getline(in, line);) {
    if (!std::regex_match(line, match, mark)) continue;
    found.push_back({match[1], ""});
    std::getline(in, line);  // the fence
    while (std::getline(in, line) && line != "```") found.back().code += line + "\n";
  }
  return found;
}

std::string without_indent(const std::string& text) {
  return std::regex_replace(text, std::regex("(^|\n)[ ]+"), "$1");
}

TEST(ApiPage, ShowsCodeThatIsRun) {
  const auto snippets = snippets_of_page();
  EXPECT_GE(snippets.size(), 8u);
  for (const auto& [file, code] : snippets) {
    const std::string whole = without_indent(read_file(HAWSER_TEST_SOURCE_DIR "/" + file));
    EXPECT_NE(whole.find(without_indent(code)), std::string::npos) << "not in " << file << ":\n"
                                                                   << code;
  }
}

}  // namespace
}  // namespace hawser::test
