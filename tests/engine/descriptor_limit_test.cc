// Descriptors: links that have ended keep none, and where there are none to be had nothing spins.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "base/log.h"
#include "base/socket.h"
#include "engine/fixture.h"
#include "support/file_limit.h"

namespace hawser::test {
namespace {

using namespace std::chrono_literals;

std::size_t open_descriptors() {
  std::error_code failed;
  const std::filesystem::directory_iterator all("/proc/self/fd", failed);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// Of a share of `span`, over all threads.
double cpu_share_over(std::chrono::milliseconds span) {
  const auto used = [] {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  };
  const auto before = used();
  std::this_thread::sleep_for(span);
  return std::chrono::duration<double>(used() - before) / span;
}

class EngineDescriptors : public EngineTest {};

TEST_P(EngineDescriptors, TheHandleOfAClosedLinkKeepsNone) {
  near().notify("x").wait();  // what is made once
  const Links first = make_links();
  first.near.close();
  first.far.close();
  const std::size_t before = open_descriptors();
  std::vector<Links> closed;
  for (int i = 0; i < 20; ++i) {
    closed.push_back(make_links());
    closed.back().near.close();
    closed.back().far.close();
  }
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before + 4; }))
      << before << " and now " << open_descriptors();
  EXPECT_FALSE(closed.front().near.status().ok());
  EXPECT_FALSE(closed.front().far.report().up);
}

// The limit was lowered below what is open: poll(2) takes no such number of descriptors.
TEST_P(EngineDescriptors, ALimitThatWasLoweredMakesNothingSpin) {
  std::vector<Links> links;
  for (int i = 0; i < 4; ++i) links.push_back(make_links());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 3;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const double share = cpu_share_over(500ms);
  const Status said = outcome(near().notify("x"));
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_OK(said);
  EXPECT_LT(share, 0.5);
}

TEST_P(EngineDescriptors, CallersThatCannotBeTakenInMakeNothingSpin) {
  const auto acceptor = server().listen("127.0.0.1", 0);
  ASSERT_OK(acceptor);
  const SocketAddress port{*IpAddress::parse("127.0.0.1"),
                           static_cast<std::uint16_t>((*acceptor)->port())};
  std::vector<UniqueFd> callers(40);
  for (UniqueFd& caller : callers) caller = sockets::open_socket(IpFamily::ipv4);
  std::vector<std::string> lines;
  std::mutex mutex;
  set_log_sink([&](LogLevel, std::string_view line) {
    const std::lock_guard lock(mutex);
    lines.emplace_back(line);
  });
  {
    const NoMoreFiles none(2);
    for (UniqueFd& caller : callers) EXPECT_EQ(sockets::start_connect(caller.get(), port), 0);
    EXPECT_LT(cpu_share_over(500ms), 0.5);
  }
  set_log_sink({});
  EXPECT_THAT(lines, testing::Contains(testing::HasSubstr("ulimit -n")));
  EXPECT_LT(lines.size(), 40U);
  callers.clear();
  EXPECT_OK(client().connect("127.0.0.1", (*acceptor)->port()));
}

INSTANTIATE_TEST_SUITE_P(Engine, EngineDescriptors, testing::Values(plain_variant()), variant_name);

}  // namespace
}  // namespace hawser::test
