#include <gtest/gtest.h>

#include "engine/nic_ways.h"

namespace hawser::engine {
namespace {

// "eth0 10.0.0.1/24 fd00::1/64"
wire::Device device(const std::string& name, const std::vector<std::pair<std::string, int>>& at) {
  wire::Device made{name, 1000, {}};
  for (const auto& [address, bits] : at)
    made.endpoints.push_back(endpoint_of({*IpAddress::parse(address), 30000}, bits));
  return made;
}

using Pairs = std::vector<std::pair<int, int>>;
Pairs pairs(const std::vector<wire::Device>& client, const std::vector<wire::Device>& server,
            bool same_stack = false) {
  Pairs found;
  for (const NicWay& way :
       pair_nics(possible_ways(client, server, same_stack), client.size(), server.size()))
    found.emplace_back(way.client_device, way.server_device);
  return found;
}

TEST(EngineNicWays, OneNetworkGoesBeforeTheOrder) {
  const auto a = device("eth0", {{"10.0.0.1", 24}}), b = device("eth1", {{"10.0.1.1", 24}});
  const auto x = device("ens1", {{"10.0.1.2", 24}}), y = device("ens2", {{"10.0.0.2", 24}});
  EXPECT_EQ(pairs({a, b}, {x, y}), (Pairs{{0, 1}, {1, 0}}));
}

TEST(EngineNicWays, WithoutOneTheOrderDecidesAndWhoHasFewerUsesThemAgain) {
  std::vector<wire::Device> client, server;
  for (int i = 0; i < 4; ++i)
    client.push_back(device("c", {{"10.1." + std::to_string(i) + ".1", 31}}));
  for (int i = 0; i < 2; ++i)
    server.push_back(device("s", {{"10.2." + std::to_string(i) + ".1", 31}}));
  EXPECT_EQ(pairs(client, server), (Pairs{{0, 0}, {1, 1}, {2, 0}, {3, 1}}));
  EXPECT_EQ(pairs(server, client), (Pairs{{0, 0}, {1, 1}, {0, 2}, {1, 3}}));
}

TEST(EngineNicWays, SeveralNicsInOneNetworkGoInOrder) {
  const auto nic = [](int host, int i) {
    return device("n", {{"10.0.0." + std::to_string(10 * host + i), 24}});
  };
  EXPECT_EQ(pairs({nic(1, 0), nic(1, 1)}, {nic(2, 0), nic(2, 1)}), (Pairs{{0, 0}, {1, 1}}));
}

// docker0 has the same address everywhere; only on one network stack it is the same one.
TEST(EngineNicWays, EqualAddressesAreNoWayBetweenMachines) {
  const auto docker = device("docker0", {{"172.17.0.1", 16}});
  const auto a = device("eth0", {{"10.0.0.1", 24}}), b = device("eth0", {{"10.0.0.2", 24}});
  EXPECT_EQ(pairs({docker, a}, {docker, b})[0], std::pair(1, 1));
  EXPECT_TRUE(pairs({docker}, {docker}).empty());
  EXPECT_EQ(pairs({docker, a}, {docker, a}, true), (Pairs{{0, 0}, {1, 1}}));
}

TEST(EngineNicWays, LoopbackAndOtherFamiliesLeadNowhere) {
  const auto lo = device("lo", {{"127.0.0.1", 8}});
  const auto v4 = device("eth0", {{"10.0.0.1", 24}});
  const auto v6 = device("eth0", {{"fd00::1", 64}});
  const auto link = device("eth0", {{"fe80::1", 64}});
  EXPECT_TRUE(pairs({lo}, {v4}).empty());
  EXPECT_TRUE(pairs({lo}, {lo}).empty());
  EXPECT_EQ(pairs({lo}, {lo}, true), (Pairs{{0, 0}}));
  EXPECT_TRUE(pairs({v4}, {v6}).empty());
  EXPECT_TRUE(pairs({link}, {v6}).empty());
}

TEST(EngineNicWays, TheAddressOfTheSharedNetworkIsTaken) {
  const auto here = device("eth0", {{"192.168.0.1", 24}, {"10.0.0.1", 24}});
  const auto there = device("eth0", {{"172.16.0.1", 24}, {"fd00::1", 64}, {"10.0.0.2", 24}});
  const std::vector<wire::Device> client = {here}, server = {there};
  const auto found = pair_nics(possible_ways(client, server, false), 1, 1);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].client_endpoint, 1);
  EXPECT_EQ(found[0].server_endpoint, 2);
  EXPECT_TRUE(found[0].one_network);
}

TEST(EngineNicWays, WhereATransportDoesNotTellAllIsPossible) {
  const wire::Device nic{"mlx5_0", 1000, {}};
  EXPECT_EQ(pairs({nic, nic}, {nic, nic}), (Pairs{{0, 0}, {1, 1}}));
}

}  // namespace
}  // namespace hawser::engine
