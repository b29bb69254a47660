// What a user of the library gets: the names it shows, and an installed tree that can be linked.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <sstream>

#include "cli/validation_pair.h"
#include "support/built.h"
#include "support/temp_dir.h"

namespace hawser::test {
namespace {

const std::string kBuild = built("");
const std::string kRoot = HAWSER_TEST_SOURCE_DIR;
constexpr std::chrono::seconds kBuildTime{120};

Outcome run_words(Words words, Environment env = {}) {
  return run({.args = std::move(words), .env = std::move(env), .cwd = "/", .netns = {}},
             kBuildTime);
}

std::vector<std::string> exported_names(const std::string& library) {
  const Outcome outcome = run_words({"nm", "-DC", "--defined-only", "--format=posix", library});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
  std::istringstream in(outcome.out);
  std::vector<std::string> names;
  for (std::string line; std::getline(in, line);) names.push_back(line);
  return names;
}

TEST(Symbols, LibraryShowsOnlyWhatIsMarked) {
  std::size_t calls = 0;
  for (const auto& name : exported_names(kBuild + "/src/libhawser.so")) {
    const bool c = name.starts_with("hawser_");
    const bool ours =
        c || name.starts_with("hawser::") || name.starts_with("typeinfo for hawser::") ||
        name.starts_with("typeinfo name for hawser::") || name.starts_with("vtable for hawser::");
    EXPECT_TRUE(ours) << name;
    if (!c) ++calls;
  }
  EXPECT_GE(calls, 5u);
  EXPECT_LE(calls, 80u) << "the public API is small: is something marked that should not be?";
}

// C has what its header declares, all of it and nothing else.
TEST(Symbols, CNamesAreThoseOfTheHeader) {
  std::set<std::string> shown, declared;
  for (const auto& name : exported_names(kBuild + "/src/libhawser.so"))
    if (name.starts_with("hawser_")) shown.insert(name.substr(0, name.find(' ')));
  const std::string header = read_file(kRoot + "/include/hawser/hawser.h");
  const std::regex call("\\b(hawser_\\w+)\\(");
  for (std::sregex_iterator at(header.begin(), header.end(), call), end; at != end; ++at)
    declared.insert((*at)[1]);
  EXPECT_GE(declared.size(), 50u);
  EXPECT_EQ(shown, declared);
}

// A hosted plugin is loaded into somebody's process: it shows nothing but its entry, and what tests
// count with.
TEST(Symbols, EmulatorShowsOnlyItsEntryAndItsCounters) {
  for (const auto& name : exported_names(emulator_plugin()))
    EXPECT_TRUE(name.starts_with("ncclNetPlugin_v7 ") || name.starts_with("hawser_emu_stats "))
        << name;
}

class InstalledTree : public testing::Test {
 protected:
  void SetUp() override {
    if (kBuild.find("/build/asan") != std::string::npos ||
        kBuild.find("/build/tsan") != std::string::npos)
      GTEST_SKIP() << "a sanitizer's library needs the sanitizer in the user's program, too";
    const Outcome outcome = run_words({"cmake", "--install", kBuild, "--prefix", prefix()});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.describe();
  }
  std::string prefix() const { return dir_.file("usr"); }

  // The folder that holds libhawser.so: lib, or what Debian makes of it.
  std::string library_dir() const {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(prefix()))
      if (entry.path().filename() == "libhawser.so") return entry.path().parent_path();
    ADD_FAILURE() << "no libhawser.so below " << prefix();
    return "";
  }

  TempDir dir_;
};

TEST_F(InstalledTree, IsFoundByCMake) {
  const std::string build = dir_.file("consumer");
  const Outcome configured = run_words({"cmake", "-G", "Ninja", "-S", kRoot + "/tests/consumer",
                                        "-B", build, "-DCMAKE_PREFIX_PATH=" + prefix()});
  ASSERT_EQ(configured.exit_code, 0) << configured.describe();
  const Outcome built = run_words({"cmake", "--build", build});
  ASSERT_EQ(built.exit_code, 0) << built.describe();
  const Outcome outcome = run_words({build + "/consumer"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
  EXPECT_TRUE(matches(outcome.out, "^hawser [0-9.]+\n$")) << outcome.out;
}

// With what they are told to be built with, by somebody who has the installed tree alone.
TEST_F(InstalledTree, ExamplesBuildOnIt) {
  const std::string build = dir_.file("examples");
  const Outcome configured = run_words({"cmake", "-G", "Ninja", "-S", kRoot + "/examples", "-B",
                                        build, "-DCMAKE_PREFIX_PATH=" + prefix()});
  ASSERT_EQ(configured.exit_code, 0) << configured.describe();
  const Outcome built = run_words({"cmake", "--build", build});
  ASSERT_EQ(built.exit_code, 0) << built.describe();
  EXPECT_EQ(run_words({build + "/hello"}).exit_code, 2);
  EXPECT_EQ(run_words({build + "/hello_c"}).exit_code, 2);
}

TEST_F(InstalledTree, IsFoundByPkgConfig) {
  const Environment path = {{"PKG_CONFIG_PATH", library_dir() + "/pkgconfig"}};
  const Outcome version = run_words({"pkg-config", "--modversion", "hawser"}, path);
  EXPECT_TRUE(matches(version.out, "^[0-9]+\\.[0-9]+\\.[0-9]+\n$")) << version.describe();
  const std::string program = dir_.file("consumer");
  const Outcome built = run_words(
      {"sh", "-c", "exec g++ -std=c++20 \"$0\" -o \"$1\" $(pkg-config --cflags --libs hawser)",
       kRoot + "/tests/consumer/main.cc", program},
      path);
  ASSERT_EQ(built.exit_code, 0) << built.describe();
  EXPECT_EQ(run_words({program}, {{"LD_LIBRARY_PATH", library_dir()}}).exit_code, 0);
}

// It has what it needs of the library inside.
TEST_F(InstalledTree, CommandRunsWithoutTheLibrary) {
  std::filesystem::remove_all(library_dir());
  const Outcome outcome =
      run_words({prefix() + "/bin/hawser", "version"}, {{"LD_LIBRARY_PATH", ""}});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
}

// The command finds the program that isolated plugins run in where it was installed.
TEST_F(InstalledTree, CommandFindsTheProgramOfIsolatedPlugins) {
  const std::string program = prefix() + "/libexec/hawser/hawser-plugin-host";
  EXPECT_TRUE(std::filesystem::exists(program));
  const Words devices = {prefix() + "/bin/hawser", "devices", "--plugin", emulator_plugin()};
  const Environment isolated = {{"HAWSER_ISOLATE", "1"}};
  const Outcome outcome = run_words(devices, isolated);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.describe();
  EXPECT_TRUE(matches(outcome.out, "in a process of its own \\(isolated\\)")) << outcome.out;
  std::filesystem::remove(program);
  const Outcome without = run_words(devices, isolated);
  EXPECT_NE(without.exit_code, 0);
  EXPECT_TRUE(matches(without.err, "no hawser-plugin-host .*" + program)) << without.describe();
}

}  // namespace
}  // namespace hawser::test
