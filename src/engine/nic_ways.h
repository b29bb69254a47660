// Which NIC of the one side goes with which of the other: by what can reach what.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/address.h"
#include "engine/wire.h"

namespace hawser::engine {

// From an address of one of the client's devices to one of the server's: their places in the Hello
// and in the Welcome. A value.
struct NicWay {
  std::uint16_t client_device = 0;
  std::uint16_t server_device = 0;
  std::uint8_t client_endpoint = 0;
  std::uint8_t server_endpoint = 0;
  bool one_network = false;  // both are in it; else only routes may lead there
};

// All that are not out of the question, those within a network first. `same_stack`: both sides have
// the same interfaces, so that equal addresses are no sign of a net that each has for itself.
std::vector<NicWay> possible_ways(std::span<const wire::Device> client,
                                  std::span<const wire::Device> server, bool same_stack);

// Pairs for all devices of both that have a way: each other's once where that can be, device n with
// device n; who has fewer uses them again.
std::vector<NicWay> pair_nics(std::span<const NicWay> ways, std::size_t client_devices,
                              std::size_t server_devices);

SocketAddress address_of(const wire::Endpoint& endpoint);
wire::Endpoint endpoint_of(const SocketAddress& address, int prefix_bits);

}  // namespace hawser::engine
