// Many links of many channels, at rest: hardly any CPU time, and as many threads as with one.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <thread>
#include <vector>

#include <hawser/engine.h>

#include "support/file_limit.h"
#include "support/sanitizers.h"

namespace hawser::test {
namespace {

constexpr int kIdleLinks = 32;  // both ends of each are here
constexpr int kIdleChannels = 16;
constexpr std::size_t kIdleFiles = 8192;
constexpr double kIdleSeconds = 3;
// Of a CPU; a quiet machine takes 0.025, and one that polls takes all of it.
const double kIdleBound = kSanitized ? 0.5 : 0.1;

double cpu_seconds_so_far() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int threads_of_this_process() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("Threads:")) return std::stoi(line.substr(8));
  return 0;
}

TEST(EngineIdle, ThousandChannelsCostNoTimeAndNoThreads) {
  if (raise_file_limit(kIdleFiles) < kIdleFiles) GTEST_SKIP() << "too few file descriptors";
  EngineOptions options;
  options.devices = {"lo"};
  auto server = Engine::create(options);
  auto client = Engine::create(options);
  ASSERT_TRUE(server.ok() && client.ok());
  LinkOptions link_options;
  link_options.channels_per_device = kIdleChannels;
  auto acceptor = (*server)->listen("127.0.0.1", 0, link_options);
  ASSERT_TRUE(acceptor.ok()) << acceptor.error().message();
  const int threads = threads_of_this_process();
  std::vector<Link> links;
  for (int i = 0; i < kIdleLinks; ++i) {
    auto here = (*client)->connect("127.0.0.1", (*acceptor)->port(), link_options);
    ASSERT_TRUE(here.ok()) << here.error().message();
    auto there = (*acceptor)->accept(10'000);
    ASSERT_TRUE(there.ok()) << there.error().message();
    links.insert(links.end(), {*here, *there});
  }
  EXPECT_EQ(threads_of_this_process(), threads);
  const double before = cpu_seconds_so_far();
  // What is measured is time that passes.
  std::this_thread::sleep_for(std::chrono::duration<double>(kIdleSeconds));
  const double share = (cpu_seconds_so_far() - before) / kIdleSeconds;
  EXPECT_LT(share, kIdleBound);
  std::cout << fmt::format("{} ends of links with {} channels each: {:.1f} % of a CPU\n",
                           links.size(), kIdleChannels, share * 100);
  for (const Link& link : links) {
    EXPECT_TRUE(link.up());
    for (const ChannelReport& channel : link.report().channels)
      EXPECT_EQ(channel.failures, 0U) << channel.last_failure;
  }
}

}  // namespace
}  // namespace hawser::test
