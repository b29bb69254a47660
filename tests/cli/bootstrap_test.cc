// Finding each other: ports, addresses, and whoever else knocks.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

#include "cli/page.h"
#include "cli/validation_pair.h"
#include "support/netns.h"

namespace hawser::test {
namespace {

constexpr const char* kListening = "waiting for|listening";

void expect_both_pass(const Outcomes& outcomes) {
  EXPECT_EQ(outcomes.server.exit_code, 0) << outcomes.server.describe();
  EXPECT_EQ(outcomes.client.exit_code, 0) << outcomes.client.describe();
}

ValidationPair impatient(const char* seconds) {
  ValidationPair pair;
  pair.with("--timeout", seconds);
  return pair;
}

// Until something listens there; the test's own deadline bounds it.
UniqueFd connect_when_up(int port, const Subprocess& server) {
  UniqueFd socket;
  while (!socket.valid() && server.running()) {
    socket = connect_to_loopback(port);
    if (!socket.valid()) std::this_thread::yield();
  }
  return socket;
}

TEST(Bootstrap, BusyPortIsNamed) {
  const ValidationPair pair = impatient("2");
  const UniqueFd holder = listen_on_loopback(pair.ports.base());
  ASSERT_TRUE(holder.valid());
  expect_could_not_run(run(pair.server()), fmt::format("{}.*(in use|busy)", pair.ports.base()));
}

TEST(Bootstrap, BusyPortOfAnotherChannelIsNamed) {
  const ValidationPair pair = impatient("2");
  const UniqueFd holder = listen_on_loopback(pair.ports.base() + 2);
  ASSERT_TRUE(holder.valid());
  expect_could_not_run(run(pair.server()), fmt::format("{}.*(in use|busy)", pair.ports.base() + 2));
}

TEST(Bootstrap, ServerWithoutClientEndsAtItsDeadline) {
  const Outcome outcome = run(impatient("0.5").server(), std::chrono::seconds(10));
  expect_could_not_run(outcome, "no client|client");
}

TEST(Bootstrap, ClientWithoutServerEndsAtItsDeadline) {
  const Outcome outcome = run(impatient("0.5").client(), std::chrono::seconds(10));
  expect_could_not_run(outcome, "[Rr]efused");
  EXPECT_EQ(outcome.out, "");
}

TEST(Bootstrap, AddressOfNoInterfaceCannotBeServed) {
  ValidationPair pair = impatient("2");
  pair.server_address = "192.0.2.77";
  expect_could_not_run(run(pair.server()), "192.0.2.77");
}

TEST(Bootstrap, UnknownHostNameIsNamed) {
  ValidationPair pair = impatient("2");
  pair.client_address = "no-such-host.invalid";
  expect_could_not_run(run(pair.client()), "no-such-host.invalid");
}

TEST(Bootstrap, UnreachableAddressIsNamed) {
  std::string why_not;
  const auto netns = NamespacePair::create(1, why_not);
  if (!netns) GTEST_SKIP() << why_not;
  ValidationPair pair = impatient("1");
  pair.client_netns = netns->a();
  pair.client_address = "10.99.0.1";  // no route leads there
  expect_could_not_run(run(pair.client(), std::chrono::seconds(15)), "[Uu]nreachable.*|no route");
}

TEST(Bootstrap, SilentAddressEndsAtTheDeadline) {
  std::string why_not;
  const auto netns = NamespacePair::create(1, why_not);
  if (!netns) GTEST_SKIP() << why_not;
  ValidationPair pair = impatient("1");
  pair.client_netns = netns->a();
  pair.client_address = "10.77.0.99";  // nobody answers ARP
  expect_could_not_run(run(pair.client(), std::chrono::seconds(15)), "10\\.77\\.0\\.99");
}

// A server goes on waiting for its real client, whatever it hears before.
class BootstrapNoise : public testing::TestWithParam<std::pair<const char*, std::string>> {};

TEST_P(BootstrapNoise, IsRefusedAndTheRealClientServed) {
  const ValidationPair pair;
  Subprocess server(pair.server());
  const UniqueFd stranger = connect_when_up(pair.ports.base(), server);
  const std::string& noise = GetParam().second;
  send(stranger.get(), noise.data(), noise.size(), MSG_NOSIGNAL);
  shutdown(stranger.get(), SHUT_WR);
  ASSERT_TRUE(server.wait_for_output("refused 127.0.0.1:"));
  Outcomes outcomes;
  outcomes.client = run(pair.client());
  outcomes.server = server.wait();
  expect_both_pass(outcomes);
}

std::string random_bytes() {
  std::string bytes;
  for (unsigned i = 0, x = 1; i < 5000; ++i)
    bytes.push_back(static_cast<char>((x = x * 1103515245u + 12345u) >> 16));
  return bytes;
}

INSTANTIATE_TEST_SUITE_P(
    Bootstrap, BootstrapNoise,
    testing::Values(
        std::pair("Http", std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n")),
        std::pair("Garbage", random_bytes()), std::pair("HalfAMagic", std::string("HW")),
        std::pair("OtherVersion",
                  std::string("HWSR\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00", 16)),
        std::pair("Nothing", std::string())),
    [](const auto& tested) { return tested.param.first; });

// A half-open connection that says nothing, and a scanner that knocks on each port.
TEST(Bootstrap, SilentConnectionsDoNotKeepTheRealClientOut) {
  const ValidationPair pair;
  Subprocess server(pair.server());
  std::vector<UniqueFd> silent;
  silent.push_back(connect_when_up(pair.ports.base(), server));
  for (int port = pair.ports.base(); port < pair.ports.base() + 8; ++port)
    silent.push_back(connect_to_loopback(port));
  Outcomes outcomes;
  outcomes.client = run(pair.client());
  outcomes.server = server.wait();
  expect_both_pass(outcomes);
}

TEST(Bootstrap, ServerOfAnotherKindIsNamed) {
  const ValidationPair pair = impatient("2");
  const UniqueFd listener = listen_on_loopback(pair.ports.base());
  Subprocess client(pair.client());
  const UniqueFd accepted(accept(listener.get(), nullptr, nullptr));
  const std::string banner = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\nand some more\r\n";
  send(accepted.get(), banner.data(), banner.size(), MSG_NOSIGNAL);
  expect_could_not_run(client.wait(), "not hawser|magic|protocol|hawser");
}

TEST(Bootstrap, TransportsMustAgree) {
  ValidationPair pair = impatient("5");
  Command client = pair.client();
  pair.emulated();
  Subprocess server(pair.server());
  expect_could_not_run(run(client), "transport.*same --plugin");
  EXPECT_EQ(server.wait(std::chrono::seconds(15)).exit_code, 3) << "the real client never came";
}

TEST(Bootstrap, TwoServersOnOnePortRange) {
  const ValidationPair pair;
  Subprocess first(pair.server().arg("--verbose"));
  ASSERT_TRUE(connect_when_up(pair.ports.base(), first).valid());
  expect_could_not_run(run(pair.server()), fmt::format("{}", pair.ports.base()));
  EXPECT_EQ(run(pair.client()).exit_code, 0);
  EXPECT_EQ(first.wait().exit_code, 0);
}

TEST(Bootstrap, PortBaseFromTheEnvironment) {
  ValidationPair pair;
  pair.both = {"--plugin", "builtin", "--memory", "host"};
  pair.env.emplace_back("HAWSER_PORT_BASE", std::to_string(pair.ports.base()));
  expect_both_pass(pair.run());
}

}  // namespace
}  // namespace hawser::test
