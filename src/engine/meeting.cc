#include "engine/meeting.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "control/call.h"
#include "engine/engine_core.h"

namespace hawser::engine {
namespace {

constexpr std::size_t kMostChannelsOfLink = 256;

std::string host_text() {
  char name[65] = {};
  ::gethostname(name, sizeof name - 1);
  return fmt::format("{}, process {}", name, ::getpid());
}

std::vector<wire::Device> offered(const EngineCore& engine, const Party& party) {
  std::vector<wire::Device> devices;
  for (const int index : party.devices) {
    const NetDevice& device = engine.net()->devices()[static_cast<std::size_t>(index)];
    devices.push_back({device.name, static_cast<std::uint32_t>(std::max(device.speed_mbps, 0))});
  }
  return devices;
}

LinkTerms terms_of(const Party& party, const std::string& peer, bool client) {
  LinkTerms terms;
  terms.client = client;
  terms.peer = peer;
  terms.timeout_ms = party.options.timeout_ms;
  return terms;
}

LinkTerms::Channel channel_of(EngineCore& engine, const Party& party, int device,
                              const wire::Device& peer) {
  return {device, engine.net()->devices()[static_cast<std::size_t>(device)].name, peer.name,
          engine.gpu_for_channel(party.options.gpu, device)};
}

// NIC n of the one side goes with NIC n of the other, as rails do; who has fewer uses them again.
std::vector<wire::ChannelPlan> pair_up(std::size_t client_devices, std::size_t server_devices,
                                       int channels_per_pair) {
  std::vector<wire::ChannelPlan> plan;
  const std::size_t pairs = std::max(client_devices, server_devices);
  for (int round = 0; round < channels_per_pair; ++round)
    for (std::size_t pair = 0; pair < pairs && plan.size() < kMostChannelsOfLink; ++pair)
      plan.push_back({static_cast<std::uint16_t>(pair % client_devices),
                      static_cast<std::uint16_t>(pair % server_devices)});
  return plan;
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

wire::Hello make_hello(const EngineCore& engine, const Party& party) {
  wire::Hello hello;
  hello.engine = engine.key();
  hello.chunk_bytes = static_cast<std::uint32_t>(engine.chunk_bytes());
  hello.channels_per_device = static_cast<std::uint32_t>(party.options.channels_per_device);
  hello.host = host_text();
  hello.transport = engine.net()->name();
  hello.devices = offered(engine, party);
  return hello;
}

// What the client makes of the server's answer.
Result<Met> agreed(EngineCore& engine, const Party& party,
                   const std::shared_ptr<ControlLine>& control, const wire::Welcome& welcome) {
  Met met{control, terms_of(party, control->peer(), true)};
  met.terms.chunk_bytes = std::min<std::size_t>(welcome.chunk_bytes, engine.chunk_bytes());
  for (const wire::ChannelPlan& plan : welcome.channels) {
    if (plan.client_device >= party.devices.size())
      return Error(Code::protocol, "the server plans a channel over a NIC that was not offered");
    met.terms.channels.push_back(channel_of(engine, party, party.devices[plan.client_device],
                                            welcome.devices[plan.server_device]));
  }
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
  Party party;
  HAWSER_ASSIGN(party.devices, engine.nics().for_link(*engine.net(), options));
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
  welcome.devices = offered(engine, party);
  const std::size_t pairs = std::max(hello.devices.size(), party.devices.size());
  const bool loopback = hello.devices.front().name == "lo";
  int channels = party.options.channels_per_device;
  if (channels == 0) channels = static_cast<int>(std::min(hello.channels_per_device, 64U));
  if (channels == 0) channels = engine.channels_per_pair(pairs, loopback);
  welcome.channels = pair_up(hello.devices.size(), party.devices.size(), channels);
  agreement.terms.chunk_bytes = welcome.chunk_bytes;
  for (const wire::ChannelPlan& plan : welcome.channels)
    agreement.terms.channels.push_back(channel_of(engine, party, party.devices[plan.server_device],
                                                  hello.devices[plan.client_device]));
  return agreement;
}

Result<Met> meet(EngineCore& engine, const Party& party, const std::string& address, int port,
                 const Deadline& deadline) {
  wire::Welcome welcome;
  const control::Call call{address,
                           static_cast<std::uint16_t>(port),
                           kControlProtocol,
                           frame_of(make_hello(engine, party)),
                           deadline,
                           "hawser engine",
                           "Does one listen there, and does a firewall let the port through?",
                           [&engine] { return engine.running(); }};
  HAWSER_ASSIGN(auto line, control::call(call, [&welcome](const auto& from, auto frame) -> Status {
                  HAWSER_ASSIGN(welcome, welcome_of(from, frame));
                  return {};
                }));
  return agreed(engine, party, std::make_shared<ControlLine>(std::move(line)), welcome);
}

}  // namespace hawser::engine
