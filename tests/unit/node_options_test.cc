// What a node takes, and what it says to what it does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/node.h"
#include "node/options.h"
#include "node/places.h"
#include "support/scoped_env.h"

namespace hawser::node {
namespace {

using test::ScopedEnvironment;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kNowhere = "/nonexistent/libcuda.so.1";

NodeOptions good_options() {
  NodeOptions options;
  options.port_base = 20'000;
  return options;
}

template <class Change>
std::string option_problem(Change&& change) {
  NodeOptions options = good_options();
  change(options);
  const Status checked = check_options(options);
  if (checked.ok()) return "";
  EXPECT_EQ(checked.error().code(), Code::invalid_argument);
  return checked.error().message();
}

TEST(NodeOptionsCheck, AcceptsTheDefaultsAndTheLimits) {
  EXPECT_EQ(option_problem([](NodeOptions&) {}), "");
  EXPECT_EQ(option_problem([](auto& o) { o.gpus = kMaxGpus; }), "");
  EXPECT_EQ(option_problem([](auto& o) { o.bytes = kMaxBytes; }), "");
  EXPECT_EQ(option_problem([](auto& o) { o.duration_ms = 1; }), "");
}

TEST(NodeOptionsCheck, NamesWhatIsOutOfRange) {
  EXPECT_THAT(option_problem([](auto& o) { o.address.clear(); }), HasSubstr("address"));
  EXPECT_THAT(option_problem([](auto& o) { o.gpus = -1; }), HasSubstr("gpus: -1, want 0 to 256"));
  EXPECT_THAT(option_problem([](auto& o) { o.gpus = 257; }), HasSubstr("gpus"));
  EXPECT_THAT(option_problem([](auto& o) { o.channels = -1; }), HasSubstr("channels"));
  EXPECT_THAT(option_problem([](auto& o) { o.channels = 65; }), HasSubstr("channels"));
  EXPECT_THAT(option_problem([](auto& o) { o.bytes = 0; }), HasSubstr("bytes: 0, want 1 to"));
  EXPECT_THAT(option_problem([](auto& o) { o.iterations = 0; }), HasSubstr("iterations"));
  EXPECT_THAT(option_problem([](auto& o) { o.duration_ms = -1; }), HasSubstr("seconds"));
  EXPECT_THAT(option_problem([](auto& o) { o.chunk_bytes = 5 << 20; }), HasSubstr("chunk bytes"));
  EXPECT_THAT(option_problem([](auto& o) { o.timeout_ms = 99; }), HasSubstr("timeout"));
}

// The last GPU must have a port, too: base + gpu * 8.
TEST(NodeOptionsCheck, EveryGpuNeedsAPort) {
  EXPECT_EQ(option_problem([](auto& o) { o.port_base = 65'535; }), "");
  EXPECT_THAT(option_problem([](auto& o) { o.port_base = 65'536; }), HasSubstr("port"));
  const auto with = [](int gpus) {
    return option_problem([&](auto& o) {
      o.port_base = 65'535 - 8;
      o.gpus = gpus;
    });
  };
  EXPECT_EQ(with(2), "");
  EXPECT_THAT(with(3), HasSubstr("gpu 2"));
}

TEST(NodeOptionsCheck, ThePortBaseComesFromTheEnvironmentWhereItIsNotGiven) {
  const ScopedEnvironment base("HAWSER_PORT_BASE", "31000");
  EXPECT_EQ(completed(NodeOptions())->port_base, 31'000);
  EXPECT_EQ(completed(good_options())->port_base, 20'000);
  const ScopedEnvironment wrong("HAWSER_PORT_BASE", "many");
  EXPECT_FALSE(completed(NodeOptions()).ok());
}

TEST(NodePlaces, WithoutGpusTheyMustBeAskedToPlay) {
  const ScopedEnvironment nowhere("HAWSER_CUDA_LIBRARY", kNowhere);
  for (const MemoryChoice memory : {MemoryChoice::automatic, MemoryChoice::cuda}) {
    NodeOptions options = good_options();
    options.memory = memory;
    options.gpus = 8;
    const auto places = find_places(options);
    ASSERT_FALSE(places.ok());
    EXPECT_EQ(places.error().code(), Code::unavailable);
    EXPECT_THAT(places.error().message(), HasSubstr(kNowhere));
    EXPECT_THAT(places.error().message(), HasSubstr("--gpus 8 --memory host"));
  }
}

TEST(NodePlaces, PlayedDevicesSaySo) {
  const ScopedEnvironment nowhere("HAWSER_CUDA_LIBRARY", kNowhere);
  NodeOptions options = good_options();
  options.memory = MemoryChoice::host;
  const auto none = find_places(options);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code(), Code::invalid_argument);
  options.gpus = 8;
  const auto places = find_places(options);
  ASSERT_TRUE(places.ok());
  EXPECT_TRUE(places->played);
  EXPECT_EQ(places->words, "8 played devices in host memory, no GPU");
  ASSERT_EQ(places->gpus.size(), 8u);
  EXPECT_EQ(places->gpus[7].link_gpu, -1);
  options.gpus = 1;
  EXPECT_EQ(find_places(options)->words, "1 played device in host memory, no GPU");
}

Places played_pair() {
  Places places;
  places.gpus.resize(2);
  return places;
}

TEST(NodePlaces, PlayedDevicesFollowTheMapAndElseTakeAllNics) {
  Places places = played_pair();
  ASSERT_TRUE(choose_nics(places, {"eth1", "eth2"}, "").ok());
  EXPECT_THAT(places.gpus[0].nics, IsEmpty()) << "all, as the link takes it";
  ASSERT_TRUE(choose_nics(places, {"eth1", "eth2"}, "1=eth2").ok());
  EXPECT_THAT(places.gpus[0].nics, ElementsAre("eth1", "eth2"));
  EXPECT_THAT(places.gpus[1].nics, ElementsAre("eth2"));
}

TEST(NodePlaces, AWrongMapIsNamed) {
  Places places = played_pair();
  const Status wrong = choose_nics(places, {"eth1"}, "0=eth7");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code(), Code::invalid_argument);
  EXPECT_THAT(wrong.error().message(), HasSubstr("eth7"));
  EXPECT_FALSE(choose_nics(places, {"eth1"}, "2=eth1").ok()) << "there are only two";
}

}  // namespace
}  // namespace hawser::node
