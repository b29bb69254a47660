#include "engine/meeting.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <utility>

#include "base/parameters.h"
#include "control/call.h"
#include "engine/engine_core.h"
#include "engine/way_probe.h"

namespace hawser::engine {
namespace {

std::string host_text() {
  char name[65] = {};
  ::gethostname(name, sizeof name - 1);
  return fmt::format("{}, process {}", name, ::getpid());
}

// What a side says of its devices; where one listens is found out for that.
Result<std::vector<wire::Device>> offered(const EngineCore& engine, const Party& party) {
  std::vector<wire::Device> devices;
  for (const int index : party.devices) {
    const NetDevice& device = engine.net()->devices()[static_cast<std::size_t>(index)];
    wire::Device said{device.name, static_cast<std::uint32_t>(std::max(device.speed_mbps, 0)), {}};
    HAWSER_ASSIGN(const std::vector<Endpoint> endpoints, engine.net()->endpoints(index));
    for (const Endpoint& one : endpoints)
      if (said.endpoints.size() < wire::kMaxEndpoints)
        said.endpoints.push_back(endpoint_of(one.address, one.prefix_bits));
    devices.push_back(std::move(said));
  }
  return devices;
}

// The same for all threads and processes on one network stack, and for no other one of any machine:
// the boot's id, and the network namespace.
wire::Key network_key() {
  wire::Key key{};
  std::ifstream boot("/proc/sys/kernel/random/boot_id");
  std::string id;
  struct stat stack {};
  if (!(boot >> id) || ::stat("/proc/thread-self/ns/net", &stack) != 0) {
    const auto random = make_key();
    return random.ok() ? *random : key;
  }
  std::erase(id, '-');
  for (std::size_t i = 0; i < key.size() && 2 * i + 1 < id.size(); ++i)
    key[i] = static_cast<std::byte>(std::strtoul(id.substr(2 * i, 2).c_str(), nullptr, 16));
  for (std::size_t i = 0; i < sizeof stack.st_ino; ++i)
    key[i] ^= static_cast<std::byte>(stack.st_ino >> (8 * i));
  return key;
}

LinkTerms terms_of(const Party& party, const std::string& peer, bool client) {
  LinkTerms terms;
  terms.client = client;
  terms.peer = peer;
  terms.timeout_ms = party.options.timeout_ms;
  return terms;
}

void add_ends(LinkTerms& terms, EngineCore& engine, const Party& party,
              const std::vector<wire::Device>& here, const std::vector<wire::Device>& there) {
  for (std::size_t i = 0; i < here.size(); ++i) {
    const int index = party.devices[i];
    const NetDevice& device = engine.net()->devices()[static_cast<std::size_t>(index)];
    LinkTerms::End end{
        index, device.name, device.mtu, engine.gpu_for_channel(party.options.gpu, index), {}};
    for (const wire::Endpoint& endpoint : here[i].endpoints)
      end.addresses.push_back(address_of(endpoint).ip);
    terms.here.push_back(std::move(end));
  }
  for (const wire::Device& device : there) {
    LinkTerms::PeerEnd& end = terms.there.emplace_back();
    end.name = device.name;
    for (const wire::Endpoint& endpoint : device.endpoints)
      end.addresses.push_back(address_of(endpoint).ip);
  }
}

// As many rounds over all pairs as there are channels to each.
std::vector<NicWay> spread(const std::vector<NicWay>& pairs, std::size_t channels,
                           std::size_t most) {
  std::vector<NicWay> plan;
  for (std::size_t i = 0; i < std::min(channels, most); ++i)
    plan.push_back(pairs[i % pairs.size()]);
  return plan;
}

// By what may reach what, as far as addresses tell; where nothing may, NIC n goes with NIC n, and
// the attempt will say what is wrong.
std::vector<NicWay> plan_pairs(const std::vector<wire::Device>& client,
                               const std::vector<wire::Device>& server, bool same_stack) {
  std::vector<NicWay> pairs =
      pair_nics(possible_ways(client, server, same_stack), client.size(), server.size());
  const std::size_t most = std::max(client.size(), server.size());
  for (std::size_t i = 0; pairs.empty() || (i > 0 && i < most); ++i)
    pairs.push_back({static_cast<std::uint16_t>(i % client.size()),
                     static_cast<std::uint16_t>(i % server.size())});
  return pairs;
}

// The Welcome of the answer, or what came instead.
Result<wire::Welcome> welcome_of(const control::Line& line, std::span<const std::byte> frame) {
  std::optional<wire::Welcome> welcome;
  HAWSER_TRY(read_records(frame, [&](const wire::Record& record) -> Status {
    if (const auto* const refuse = std::get_if<wire::Refuse>(&record))
      return Error(Code::peer, fmt::format("{} refused: {}", line.peer(), refuse->reason));
    const auto* const it = std::get_if<wire::Welcome>(&record);
    if (it == nullptr || welcome)
      return Error(Code::protocol, fmt::format("{} answered a Hello with a {}", line.peer(),
                                               wire::record_name(record)));
    welcome = *it;
    return {};
  }));
  if (!welcome)
    return Error(Code::protocol, fmt::format("{} answered a Hello with nothing", line.peer()));
  return *std::move(welcome);
}

Result<wire::Hello> make_hello(const EngineCore& engine, const Party& party) {
  wire::Hello hello;
  hello.engine = engine.key();
  hello.chunk_bytes = static_cast<std::uint32_t>(engine.chunk_bytes());
  hello.channels_per_device = static_cast<std::uint32_t>(party.options.channels_per_device);
  hello.host = host_text();
  hello.transport = engine.net()->name();
  HAWSER_ASSIGN(hello.devices, offered(engine, party));
  hello.network = network_key();
  hello.room = engine.room();
  return hello;
}

// What the client makes of the server's answer: its plan, or, where it can be found out what
// reaches what, as many channels over the pairs that do.
Result<Met> agreed(EngineCore& engine, const Party& party,
                   const std::shared_ptr<ControlLine>& control, const wire::Hello& hello,
                   const wire::Welcome& welcome, const Deadline& deadline) {
  Met met{control, terms_of(party, control->peer(), true)};
  const std::size_t most = engine.limits().channels_of_link();
  if (welcome.channels.size() > most)
    return Error(Code::peer,
                 fmt::format("the server plans {} channels, of {} that a link may have "
                             "here ({})",
                             welcome.channels.size(), most, parameters::kLinkChannels.name));
  met.terms.chunk_bytes = std::min<std::size_t>(welcome.chunk_bytes, engine.chunk_bytes());
  met.terms.room_there = welcome.room;
  add_ends(met.terms, engine, party, hello.devices, welcome.devices);
  for (const wire::ChannelPlan& plan : welcome.channels)
    if (plan.client_device >= party.devices.size())
      return Error(Code::protocol, "the server plans a channel over a NIC that was not offered");
  const std::vector<NicWay> pairs =
      pairs_that_reach(*engine.net(), party.devices, hello.devices, welcome.devices,
                       hello.network == welcome.network, deadline);
  if (!pairs.empty()) met.terms.channels = spread(pairs, welcome.channels.size(), most);
  if (pairs.empty())
    for (const wire::ChannelPlan& plan : welcome.channels)
      met.terms.channels.push_back({plan.client_device, plan.server_device});
  return met;
}

// A NIC with devmem fills the memory of the GPUs under its own PCIe root, and of no other.
Status check_places(EngineCore& engine, const Party& party) {
  const auto& devices = engine.net()->devices();
  for (const int index : party.devices) {
    const NetDevice& device = devices[static_cast<std::size_t>(index)];
    if (device.devmem != Devmem::real || party.options.gpu < 0) continue;
    HAWSER_ASSIGN(const std::shared_ptr<Gpu> gpu, engine.gpu(party.options.gpu));
    HAWSER_TRY(inspect_nic(gpu->info(), device, devices));
    HAWSER_TRY(inspect_receive_manager(gpu->info(), device));
  }
  return {};
}

}  // namespace

Result<Party> make_party(EngineCore& engine, const LinkOptions& options) {
  if (options.channels_per_device < 0 || options.channels_per_device > 64)
    return Error(Code::invalid_argument,
                 fmt::format("{} channels per device, of 1 to 64 (0: as the "
                             "engine thinks best)",
                             options.channels_per_device));
  if (options.timeout_ms <= 0)
    return Error(Code::invalid_argument,
                 fmt::format("a timeout of {} ms, of 1 or more", options.timeout_ms));
  if (options.devices.size() > wire::kMaxDevices)
    return Error(Code::invalid_argument, fmt::format("{} devices of a link, of {} at most",
                                                     options.devices.size(), wire::kMaxDevices));
  Party party;
  HAWSER_ASSIGN(const std::shared_ptr<const NicChoice> nics, engine.look_at_nics());
  HAWSER_ASSIGN(party.devices, nics->for_link(*engine.net(), options));
  if (party.devices.size() > wire::kMaxDevices) party.devices.resize(wire::kMaxDevices);
  party.options = options;
  HAWSER_TRY(check_places(engine, party));
  return party;
}

Result<Agreement> agree(EngineCore& engine, const Party& party, const wire::Hello& hello,
                        const std::string& peer) {
  if (hello.transport != engine.net()->name())
    return Error(Code::peer, fmt::format("this side's transport is {}, the client's {}: give both "
                                         "the same",
                                         engine.net()->name(), hello.transport));
  Agreement agreement{{}, terms_of(party, peer, false)};
  wire::Welcome& welcome = agreement.welcome;
  welcome.engine = engine.key();
  HAWSER_ASSIGN(welcome.link, make_key());
  welcome.chunk_bytes =
      std::min(hello.chunk_bytes, static_cast<std::uint32_t>(engine.chunk_bytes()));
  welcome.host = host_text();
  HAWSER_ASSIGN(welcome.devices, offered(engine, party));
  welcome.network = network_key();
  welcome.room = engine.room();
  const std::vector<NicWay> pairs =
      plan_pairs(hello.devices, welcome.devices, hello.network == welcome.network);
  const bool loopback = hello.devices.front().name == "lo";
  int channels = party.options.channels_per_device;
  if (channels == 0) channels = static_cast<int>(std::min(hello.channels_per_device, 64U));
  if (channels == 0) channels = engine.channels_per_pair(pairs.size(), loopback);
  LinkTerms& terms = agreement.terms;
  terms.channels = spread(pairs, pairs.size() * static_cast<std::size_t>(channels),
                          engine.limits().channels_of_link());
  for (const NicWay& way : terms.channels)
    welcome.channels.push_back({way.client_device, way.server_device});
  terms.chunk_bytes = welcome.chunk_bytes;
  terms.room_there = hello.room;
  add_ends(terms, engine, party, welcome.devices, hello.devices);
  return agreement;
}

Result<Met> meet(EngineCore& engine, const Party& party, const std::string& address, int port,
                 const Deadline& deadline) {
  HAWSER_ASSIGN(const wire::Hello hello, make_hello(engine, party));
  wire::Welcome welcome;
  const control::Call call{address,
                           static_cast<std::uint16_t>(port),
                           kControlProtocol,
                           frame_of(hello),
                           deadline,
                           "hawser engine",
                           "Does one listen there, and does a firewall let the port through?",
                           [&engine] { return engine.running(); }};
  HAWSER_ASSIGN(auto line, control::call(call, [&welcome](const auto& from, auto frame) -> Status {
                  HAWSER_ASSIGN(welcome, welcome_of(from, frame));
                  return {};
                }));
  return agreed(engine, party, std::make_shared<ControlLine>(std::move(line)), hello, welcome,
                deadline);
}

}  // namespace hawser::engine
