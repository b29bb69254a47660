// Which plugins are looked for, under which names, and what is said where one is no good.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <string>

#include "net/hosted/hosting.h"
#include "net/hosted/plugin_library.h"
#include "support/built.h"
#include "support/scoped_env.h"

namespace hawser {
namespace {

using test::ScopedEnvironment;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string plugin_file(const std::string& suffix) {
  return test::built("tests/plugins/libnccl-net-loopback-") + suffix + ".so";
}

PluginOptions options_for(const std::string& path, bool by_nccl_net_plugin = false) {
  PluginOptions options;
  options.choice = {path, "a test", by_nccl_net_plugin};
  return options;
}

TEST(NetPluginLibrary, ListsAreSplitAtCommas) {
  EXPECT_THAT(split_plugin_list("a, /b c/d.so ,,libx.so"),
              ElementsAre("a", "/b c/d.so", "libx.so"));
  EXPECT_TRUE(split_plugin_list("").empty());
  EXPECT_TRUE(split_plugin_list(" , ,").empty());
}

TEST(NetPluginLibrary, NamesAreResolvedAsNcclDoes) {
  EXPECT_EQ(plugin_library_name(""), "libnccl-net.so");
  EXPECT_EQ(plugin_library_name("tcpx"), "libnccl-net-tcpx.so");
  EXPECT_EQ(plugin_library_name("libmine.so"), "libmine.so");
  EXPECT_EQ(plugin_library_name("libmine.so.2"), "libmine.so.2");
  EXPECT_EQ(plugin_library_name("/opt/x.so"), "/opt/x.so");
  EXPECT_EQ(plugin_library_name("./x"), "./x");
}

std::vector<std::string> names(const std::vector<PluginChoice>& choices) {
  std::vector<std::string> found;
  for (const PluginChoice& choice : choices) found.push_back(choice.path_or_name);
  return found;
}

TEST(NetPluginCandidates, TheFirstSourceThatIsSetDecides) {
  const ScopedEnvironment path("NCCL_GPUDIRECTTCPX_PLUGIN_PATH", "/tcpx.so");
  const ScopedEnvironment list("NCCL_NET_PLUGIN", "a,b");
  EXPECT_THAT(names(plugin_candidates("mine,other")), ElementsAre("mine", "other"));
  auto choices = plugin_candidates("");
  EXPECT_THAT(names(choices), ElementsAre("/tcpx.so"));
  EXPECT_EQ(choices[0].why, "NCCL_GPUDIRECTTCPX_PLUGIN_PATH=/tcpx.so");
  EXPECT_FALSE(choices[0].by_nccl_net_plugin);
  const ScopedEnvironment no_path("NCCL_GPUDIRECTTCPX_PLUGIN_PATH", nullptr);
  choices = plugin_candidates("");
  EXPECT_THAT(names(choices), ElementsAre("a", "b"));
  EXPECT_EQ(choices[1].why, "NCCL_NET_PLUGIN=a,b");
  EXPECT_TRUE(choices[1].by_nccl_net_plugin);
}

TEST(NetPluginCandidates, NoneIsNoPlugin) {
  const ScopedEnvironment path("NCCL_GPUDIRECTTCPX_PLUGIN_PATH", nullptr);
  const ScopedEnvironment list("NCCL_NET_PLUGIN", "none");
  EXPECT_TRUE(plugin_candidates("").empty());
  EXPECT_TRUE(plugin_candidates("none").empty());
  const auto net = load_first_plugin({}, {});
  EXPECT_EQ(net.error().code(), Code::unavailable);
}

TEST(NetPluginLibrary, AMissingLibraryTellsWhatTheLoaderSaid) {
  const auto net = load_plugin(options_for("no-such-plugin"));
  ASSERT_FALSE(net.ok());
  EXPECT_EQ(net.error().code(), Code::unavailable);
  EXPECT_THAT(net.error().message(),
              AllOf(HasSubstr("'no-such-plugin' as libnccl-net-no-such-plugin.so"),
                    HasSubstr("cannot open shared object file")));
}

TEST(NetPluginLibrary, ALibraryWithoutASymbolTellsWhatWasLookedFor) {
  const auto net = load_plugin(options_for(plugin_file("none")));
  ASSERT_FALSE(net.ok());
  EXPECT_EQ(net.error().code(), Code::unavailable);
  EXPECT_THAT(net.error().message(),
              AllOf(HasSubstr("looked for ncclNetPlugin_v12 down to ncclNetPlugin_v5"),
                    HasSubstr("undefined symbol")));
}

TEST(NetPluginLibrary, AV4PluginIsToldToBeTooOld) {
  const auto net = load_plugin(options_for(plugin_file("v4only")));
  ASSERT_FALSE(net.ok());
  EXPECT_EQ(net.error().code(), Code::unavailable);
  EXPECT_THAT(net.error().message(), HasSubstr("exports only ncclNetPlugin_v4"));
}

TEST(NetPluginLibrary, TheFirstThatLoadsIsTakenAndAllFailuresAreTold) {
  const auto net =
      load_first_plugin({{"nowhere", "first", false}, {plugin_file("v7"), "second", false}}, {});
  ASSERT_TRUE(net.ok()) << net.error().message();
  EXPECT_EQ((*net)->name(), "Simulated loopback v7");
  EXPECT_EQ((*net)->description(),
            "NCCL net plugin Simulated loopback v7 (ABI v7) from " + plugin_file("v7"));
  const auto none =
      load_first_plugin({{"nowhere", "first", false}, {"elsewhere", "second", false}}, {});
  EXPECT_THAT(none.error().message(), AllOf(HasSubstr("nowhere"), HasSubstr("(first); "),
                                            HasSubstr("elsewhere"), HasSubstr("(second)")));
}

TEST(NetPluginLibrary, ARefusalEndsTheSearch) {
  PluginOptions options;
  std::vector<std::string> asked;
  options.before_init = [&](const PluginFound& found) -> Status {
    asked.push_back(found.file);
    return Error(Code::invalid_argument, "not like this");
  };
  const auto net = load_first_plugin(
      {{plugin_file("v7"), "first", false}, {plugin_file("v8"), "second", false}}, options);
  ASSERT_FALSE(net.ok());
  EXPECT_EQ(net.error().code(), Code::invalid_argument);
  EXPECT_EQ(net.error().message(), "not like this (first)");
  EXPECT_THAT(asked, ElementsAre(plugin_file("v7")));
}

TEST(NetPluginLibrary, NcclNetIsCheckedForPluginsOfNcclNetPlugin) {
  const ScopedEnvironment env("NCCL_NET", "Socket");
  const auto refused = load_plugin(options_for(plugin_file("v8"), true));
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message(),
              HasSubstr("is named Simulated loopback v8, and NCCL_NET=Socket"));
  EXPECT_TRUE(load_plugin(options_for(plugin_file("v8"))).ok());
}

TEST(NetPluginLibrary, ChunkBytesOutOfRangeAreRefused) {
  for (std::size_t bytes : {std::size_t{0}, std::size_t{4095}, kUnpackRequestBytes + 1}) {
    PluginOptions options = options_for(plugin_file("v7"));
    options.chunk_bytes = bytes;
    EXPECT_EQ(load_plugin(options).error().code(), Code::invalid_argument) << bytes;
  }
}

TEST(NetPluginLibrary, TheChunkSizeIsSetUnlessTheUserDid) {
  PluginOptions options = options_for(plugin_file("v7"));
  options.chunk_bytes = 131072;
  {
    const ScopedEnvironment env("NCCL_DYNAMIC_CHUNK_SIZE", nullptr);
    ASSERT_TRUE(load_plugin(options).ok());
    EXPECT_STREQ(std::getenv("NCCL_DYNAMIC_CHUNK_SIZE"), "131072");
  }
  const ScopedEnvironment env("NCCL_DYNAMIC_CHUNK_SIZE", "65536");
  ASSERT_TRUE(load_plugin(options).ok());
  EXPECT_STREQ(std::getenv("NCCL_DYNAMIC_CHUNK_SIZE"), "65536");
}

void on_sigpipe(int) {}

TEST(NetPluginLibrary, SigpipeIsIgnoredUnlessSomebodyHandlesIt) {
  struct sigaction before {};
  sigaction(SIGPIPE, nullptr, &before);
  const auto handler_after_loading = [](sighandler_t handler) {
    signal(SIGPIPE, handler);
    EXPECT_TRUE(load_plugin(options_for(plugin_file("v7"))).ok());
    struct sigaction now {};
    sigaction(SIGPIPE, nullptr, &now);
    return now.sa_handler;
  };
  EXPECT_EQ(handler_after_loading(SIG_DFL), SIG_IGN);
  EXPECT_EQ(handler_after_loading(SIG_IGN), SIG_IGN);
  EXPECT_EQ(handler_after_loading(&on_sigpipe), &on_sigpipe);
  sigaction(SIGPIPE, &before, nullptr);
}

}  // namespace
}  // namespace hawser
