// Keeps the includes of src/ and of the command one-way, and programs of users on the public
// headers.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "support/temp_dir.h"

namespace hawser::test {
namespace {

namespace fs = std::filesystem;

// From the ground up: a layer includes itself and those before it. From "channel" on they are the
// command's, which the library knows nothing of; "tool" are the files of tools/hawser itself. A new
// folder takes its place here and in docs/architecture.md.
constexpr std::array<std::string_view, 21> kLayers = {
    "base",       "gpu",          "machine", "memory",    "net",        "net/unpack", "net/tcp",
    "net/hosted", "net/isolated", "control", "bootstrap", "nccl",       "setup",      "engine",
    "c",          "channel",      "side",    "node",      "validation", "perf",       "tool"};

// Of a path below src/ or tools/hawser/. Of the folders in one only those in "net" are layers.
std::string layer_of(const std::string& path) {
  const auto first = path.find('/');
  if (first == std::string::npos) return "tool";
  const auto second = path.find('/', first + 1);
  const std::string two = path.substr(0, second);
  if (second != std::string::npos && std::ranges::find(kLayers, two) != kLayers.end()) return two;
  return path.substr(0, first);
}

// The exported plugin stands on the transport and the ABI alone: not on hosting, not on channels.
bool plugin_may_include(const std::string& path) {
  const std::string layer = layer_of(path);
  return layer == "nccl" || layer == "net/tcp" || layer == "base" || layer == "memory" ||
         path == "net/net.h" || path.starts_with("net/abi/");
}

struct Include {
  std::string path;  // as written between the quotes
  bool quoted = false;
};

bool is_source(const fs::path& path) {
  return path.extension() == ".h" || path.extension() == ".hpp" || path.extension() == ".cc" ||
         path.extension() == ".c";
}

std::vector<fs::path> sources_below(const fs::path& folder) {
  std::vector<fs::path> found;
  if (!fs::exists(folder)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && is_source(entry.path())) found.push_back(entry.path());
  return found;
}

std::vector<Include> includes_of(const fs::path& file) {
  static const std::regex kPattern(R"(^\s*#\s*include\s*(["<])([^">]+)[">])");
  std::vector<Include> found;
  std::ifstream in(file);
  std::smatch match;
  for (std::string line; std::getline(in, line);)
    if (std::regex_search(line, match, kPattern)) found.push_back({match[2], match[1] == "\""});
  return found;
}

int rank_of(const std::string& layer) {
  const auto at = std::find(kLayers.begin(), kLayers.end(), layer);
  return at == kLayers.end() ? -1 : static_cast<int>(at - kLayers.begin());
}

// Why this include of a file of `layer` is wrong, or empty.
std::string objection(const std::string& layer, const Include& include) {
  if (!include.quoted) return "";
  const bool bare = include.path.find('/') == std::string::npos;
  if (layer == "tool" && bare) return "";  // the file beside it
  if (bare || include.path.starts_with("..")) return "write it as \"layer/file.h\"";
  const std::string target = layer_of(include.path);
  if (rank_of(target) < 0) return "no such layer";
  if (rank_of(target) > rank_of(layer)) return "a higher layer";
  if (layer == "perf" && target == "validation") return "these two stand side by side";
  if (target == "node" && layer != "node" && layer != "tool") return "these two stand side by side";
  if (layer == "node" && target == "engine") return "a node uses the engine's public headers";
  if (layer != "net/tcp" && layer.starts_with("net/") && target == "net/tcp")
    return "no Net stands on another, but for a plugin that is isolated";
  if (layer != "c" && target == "c") return "what C gets is for C alone";
  if (layer == "channel" && (target == "net/tcp" || target == "net/isolated"))
    return "channels do not know which Net they drive";
  if (layer == "nccl" && !plugin_may_include(include.path)) return "not among plugin's rights";
  if (layer != "nccl" && target == "nccl") return "nobody stands on the plugin";
  if (layer == "c" && target != "c") return "what C gets stands on the public headers";
  return "";
}

// All objections in a tree laid out like src/.
std::vector<std::string> objections(const fs::path& root) {
  std::vector<std::string> found;
  for (const auto& file : sources_below(root)) {
    const std::string name = fs::relative(file, root).string();
    const std::string layer = layer_of(name);
    if (rank_of(layer) < 0) {
      found.push_back(name + ": is in no known layer");
      continue;
    }
    for (const auto& include : includes_of(file))
      if (const auto why = objection(layer, include); !why.empty())
        found.push_back(name + " includes " + include.path + ": " + why);
  }
  return found;
}

TEST(Layering, SourcesIncludeLowerLayersOnly) {
  const fs::path src = fs::path(HAWSER_TEST_SOURCE_DIR) / "src";
  EXPECT_GT(sources_below(src).size(), 20u) << "looked in the wrong place: " << src;
  for (const auto& text : objections(src)) ADD_FAILURE() << text;
  for (const auto& text : objections(fs::path(HAWSER_TEST_SOURCE_DIR) / "tools" / "hawser"))
    ADD_FAILURE() << text;
}

// What there is one of, in base: there the start of a thread is a Result, and nothing is thrown.
TEST(Layering, ThreadsEventsAndSocketsAreMadeByBaseOnly) {
  static const std::regex kMakes(
      R"(std::(thread|jthread|async)\b|pthread_create|eventfd\(|getaddrinfo|accept4|get(sock|peer)name)");
  const fs::path root = HAWSER_TEST_SOURCE_DIR;
  for (const char* const part : {"src", "tools"})
    for (const auto& file : sources_below(root / part)) {
      if (file.parent_path() == root / "src" / "base") continue;
      std::ifstream in(file);
      for (std::string line; std::getline(in, line);)
        EXPECT_FALSE(std::regex_search(line, kMakes)) << file << ": " << line;
    }
}

TEST(Layering, ProgramsUsePublicHeadersOnly) {
  const fs::path root = HAWSER_TEST_SOURCE_DIR;
  std::vector<fs::path> files;
  for (const char* more : {"examples", "tests/capi", "tests/consumer"})
    for (const auto& file : sources_below(root / more)) files.push_back(file);
  files.push_back(root / "tests" / "test_devmem_validation.cc");
  for (const auto& file : files)
    for (const auto& include : includes_of(file)) {
      // test_devmem_validation is the command under another name: it may use the command's headers.
      const bool beside = include.quoted && (fs::exists(file.parent_path() / include.path) ||
                                             fs::exists(root / "tools" / "hawser" / include.path));
      EXPECT_TRUE(beside || !include.quoted)
          << file << " includes " << include.path << ", which is not in include/hawser";
    }
}

TEST(Layering, PublicHeadersUseTheStandardLibraryOnly) {
  const auto headers = sources_below(fs::path(HAWSER_TEST_SOURCE_DIR) / "include");
  EXPECT_FALSE(headers.empty());
  for (const auto& file : headers)
    for (const auto& include : includes_of(file)) {
      const bool ours = include.path.starts_with("hawser/");
      const bool standard = include.path.find('/') == std::string::npos;
      EXPECT_TRUE(!include.quoted && (ours || standard)) << file << " includes " << include.path;
    }
}

TEST(Layering, HeadersKeepJsonAndOptionParsersOut) {
  for (const auto& file : sources_below(fs::path(HAWSER_TEST_SOURCE_DIR) / "src")) {
    if (file.extension() != ".h") continue;
    for (const auto& include : includes_of(file)) {
      EXPECT_FALSE(include.path.starts_with("nlohmann/")) << file;
      EXPECT_FALSE(include.path.starts_with("CLI/")) << file;
    }
  }
}

// The checks themselves find what they are for.
TEST(Layering, FindsEachKindOfWrongInclude) {
  const TempDir dir;
  fs::create_directories(dir.file("net"));
  fs::create_directories(dir.file("channel"));
  fs::create_directories(dir.file("nccl"));
  fs::create_directories(dir.file("c"));
  fs::create_directories(dir.file("surprise"));
  write_file(dir.file("net/up.h"), "#include \"channel/channel.h\"\n");
  write_file(dir.file("net/fine.h"), "#include \"base/result.h\"\n#include <vector>\n");
  write_file(dir.file("net/bare.cc"), "#  include \"net.h\"\n");
  write_file(dir.file("channel/tcp.cc"), "#include \"net/tcp/tcp_net.h\"\n");
  write_file(dir.file("nccl/high.h"), "#include \"channel/channel.h\"\n");
  write_file(dir.file("nccl/host.h"), "#include \"net/hosted/hosting.h\"\n");
  write_file(dir.file("nccl/fine.h"), "#include \"net/net.h\"\n#include \"net/abi/types.h\"\n");
  write_file(dir.file("c/inner.cc"), "#include \"base/result.h\"\n");
  write_file(dir.file("c/fine.cc"), "#include <hawser/link.h>\n#include \"c/text.h\"\n");
  write_file(dir.file("surprise/x.cc"), "int x;\n");
  EXPECT_EQ(objections(dir.path()).size(), 7u);
}

}  // namespace
}  // namespace hawser::test
