#include "net/hosted/hosted_net.h"

#include <dlfcn.h>
#include <fmt/core.h>
#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <limits>

#include "base/parameters.h"
#include "net/hosted/exit_explainer.h"
#include "net/hosted/hosted_connection.h"

namespace hawser {
namespace {

constexpr int kMaxDevices = 1024;  // a plugin that tells of more is broken
constexpr int kUnpackWindow = 16;  // the slots of the unpack metadata
constexpr int kWindow = 32;        // what NCCL keeps in flight, and so what plugins take
constexpr std::size_t kMaxUnpackRegistrationBytes = std::numeric_limits<int>::max();

bool contains_ignoring_case(const std::string& text, const std::string& part) {
  const auto same = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

// Differs between the Nets of a machine; the plugin may name things by it.
std::uint64_t next_comm_id() {
  static std::atomic<std::uint32_t> count{0};  // a number, publishes nothing
  return (static_cast<std::uint64_t>(::getpid()) << 32) | ++count;
}

CallNote plain_note(const char* entry, int device = -1) {
  CallNote note;
  note.entry = entry;
  note.device = device;
  return note;
}

std::size_t request_limit(const PluginProperties& properties, const PluginTraits& traits) {
  const std::size_t told =
      properties.max_p2p_bytes > 0 ? properties.max_p2p_bytes : kMaxHostedRequestBytes;
  return std::min({told, traits.max_request_bytes, kMaxHostedRequestBytes});
}

NetDevice to_net_device(const HostedDevice& from) {
  NetDevice to;
  to.name = from.properties.name;
  to.pci_path = from.properties.pci_path;
  to.speed_mbps = from.properties.speed_mbps;
  to.port = from.properties.port;
  to.guid = from.properties.guid;
  to.latency_us = from.properties.latency_us;
  to.max_comms = from.properties.max_comms;
  to.max_receives = from.properties.max_receives;
  to.devmem = from.devmem;
  to.capabilities = from.capabilities;
  return to;
}

Status check_nccl_net(const std::string& plugin_name, const PluginChoice& choice) {
  const auto wanted = parameters::kNcclNet.text();
  if (!choice.by_nccl_net_plugin || !wanted) return {};
  if (strcasecmp(wanted->c_str(), plugin_name.c_str()) == 0) return {};
  return Error(Code::unavailable,
               fmt::format("plugin '{}' is named {}, and {}={} wants another: unset it, or load "
                           "that one",
                           choice.path_or_name, plugin_name, parameters::kNcclNet.name, *wanted));
}

std::string file_of(const void* table) {
  Dl_info info{};
  return dladdr(table, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
}

Status ask_before_init(const PluginApi& api, const PluginOptions& options) {
  if (!options.before_init) return {};
  return options.before_init({api.name(), api.traits().version, file_of(api.table())});
}

// Where the fragments of a receive are written differs between versions.
Status check_unpack_version(const std::string& plugin_name, const PluginProperties& properties) {
  if (properties.device_version == abi::kUnpackVersion) return {};
  return Error(
      Code::unavailable,
      fmt::format("{}: device {} writes its unpack metadata as version {}, and hawser "
                  "reads version {}: another version of the plugin is needed",
                  plugin_name, properties.name, properties.device_version, abi::kUnpackVersion));
}

bool says_emulated(const std::string& plugin_name) {
  return contains_ignoring_case(plugin_name, "emulated");
}

// The user's NCCL_DYNAMIC_CHUNK_SIZE is what the plugin goes by, so requests keep below it.
Result<std::size_t> unpack_request_bytes(const PluginOptions& options) {
  if (!parameters::kTcpxDynamicChunkSize.text()) return options.chunk_bytes;
  HAWSER_ASSIGN(const std::int64_t set, parameters::kTcpxDynamicChunkSize.integer());
  return std::min(options.chunk_bytes, static_cast<std::size_t>(set));
}

}  // namespace

TcpxKind tcpx_kind(const std::string& plugin_name) {
  if (!plugin_name.starts_with("GPUDirectTCPX_")) return TcpxKind::none;
  return says_emulated(plugin_name) ? TcpxKind::emulated : TcpxKind::real;
}

HostedDevice host_device(int index, const PluginProperties& properties, const PluginTraits& traits,
                         const std::string& plugin_name, std::size_t unpack_bytes) {
  HostedDevice device;
  device.index = index;
  device.properties = properties;
  const bool unpacks = properties.device_type == abi::kDeviceUnpack;
  NetCapabilities& can = device.capabilities;
  can.host_pointers = (properties.pointer_support & abi::kHostPointer) != 0;
  can.cuda_pointers = (properties.pointer_support & abi::kCudaPointer) != 0;
  can.max_requests = unpacks ? kUnpackWindow : kWindow;
  can.max_request_bytes = request_limit(properties, traits);
  can.oldest_first = true;  // NCCL tests no other, and plugins rely on it
  // What TCPX-like plugins want of a host (docs/tcpx.md), whatever they are called.
  can.needs_unpack = can.receives_unregistered = can.registers_whole_pages = unpacks;
  can.comms_of_a_gpu = can.one_creation_at_a_time = unpacks;
  can.registration_per_device = unpacks || properties.registration_is_global;
  can.reports_received_bytes = !unpacks;
  device.max_registration_bytes = traits.max_registration_bytes;
  if (unpacks) {
    can.max_request_bytes = std::min(can.max_request_bytes, unpack_bytes);
    device.max_registration_bytes =
        std::min(device.max_registration_bytes, kMaxUnpackRegistrationBytes);
    device.devmem = says_emulated(plugin_name) ? Devmem::emulated : Devmem::real;
  }
  can.max_registration_bytes = device.max_registration_bytes;
  device.flushes = !unpacks && traits.has_iflush;
  if (can.registration_per_device) device.registrations = std::make_unique<RegistrationSet>();
  return device;
}

HostedNet::HostedNet(std::unique_ptr<HostedPlugin> plugin, const std::string& origin)
    : plugin_(std::move(plugin)), name_(plugin_->api().name()) {
  description_ = fmt::format("NCCL net plugin {} (ABI v{}) from {}", name_,
                             plugin_->api().traits().version, origin);
}

HostedNet::~HostedNet() {
  for (const HostedDevice& device : hosted_) {
    if (device.registrations && device.registrations->size() > 0)
      log_warning("{}: device {} is given up with {} registrations left", plugin_->name(),
                  device.index, device.registrations->size());
  }
  if (!finalize_) return;
  const Status finalized = rare_call(plain_note("finalize"),
                                     [&] { return plugin_->api().finalize(plugin_->context()); });
  if (!finalized.ok()) log_warning("{}", finalized.error().message());
}

Status HostedNet::start(const PluginOptions& options) {
  if (plugin_->api().traits().init_per_net) {
    HAWSER_TRY(init());
    finalize_ = true;
  } else {
    HAWSER_TRY(plugin_->process().init_once([&] { return init(); }));
  }
  HAWSER_ASSIGN(const int count, count_devices());
  for (int index = 0; index < count; ++index) HAWSER_TRY(add_device(index, options));
  return {};
}

Status HostedNet::init() {
  return rare_call(plain_note("init"), [&] {
    return plugin_->api().init(plugin_->context_place(), next_comm_id(), plugin_->log_function());
  });
}

Result<int> HostedNet::count_devices() const {
  int count = 0;
  const CallNote note = plain_note("devices");
  HAWSER_TRY(rare_call(note, [&] { return plugin_->api().devices(&count); }));
  if (count < 0 || count > kMaxDevices)
    return plugin_misbehaved(name_, note, fmt::format("told of {} devices", count));
  if (count == 0)
    return Error(Code::unavailable,
                 fmt::format("{}: the plugin finds no device on this machine", name_));
  return count;
}

Status HostedNet::add_device(int index, const PluginOptions& options) {
  PluginProperties properties;
  HAWSER_TRY(rare_call(plain_note("getProperties", index),
                       [&] { return plugin_->api().properties(index, &properties); }));
  std::size_t unpack_bytes = 0;
  if (properties.device_type == abi::kDeviceUnpack) {
    HAWSER_TRY(check_unpack_version(name_, properties));
    HAWSER_ASSIGN(unpack_bytes, unpack_request_bytes(options));
  }
  hosted_.push_back(host_device(index, properties, plugin_->api().traits(), name_, unpack_bytes));
  devices_.push_back(to_net_device(hosted_.back()));
  return {};
}

// Plugins do not look: an index out of range is theirs to crash on.
Status HostedNet::check_device(int device) const {
  if (device >= 0 && static_cast<std::size_t>(device) < hosted_.size()) return {};
  return Error(Code::invalid_argument,
               fmt::format("{}: no device {}: it has {}", name_, device, hosted_.size()));
}

HostedPlace HostedNet::hosted_place(const CommPlace& place) const {
  return {*plugin_, hosted_[static_cast<std::size_t>(place.device)],
          place.gpu != nullptr ? place.gpu : plugin_->gpu()};
}

Result<std::unique_ptr<Listener>> HostedNet::listen(const CommPlace& place) {
  HAWSER_TRY(check_device(place.device));
  return HostedListener::listen(hosted_place(place));
}

Result<std::unique_ptr<Connector>> HostedNet::connect(const CommPlace& place,
                                                      const Handle& handle) {
  HAWSER_TRY(check_device(place.device));
  return std::unique_ptr<Connector>(std::make_unique<HostedConnector>(hosted_place(place), handle));
}

Result<std::unique_ptr<Net>> host_plugin(std::unique_ptr<PluginApi> api, const std::string& origin,
                                         const PluginOptions& options) {
  HAWSER_TRY(check_nccl_net(api->name(), options.choice));
  HAWSER_TRY(ask_before_init(*api, options));
  auto journal = options.journal ? options.journal : std::make_shared<CallJournal>();
  journal->explain_exits();
  auto plugin = std::make_unique<HostedPlugin>(std::move(api), std::move(journal), options.gpu);
  exit_explainer::add_plugin(plugin->name(), plugin->api().table());
  auto net = std::make_unique<HostedNet>(std::move(plugin), origin);
  HAWSER_TRY(net->start(options));
  return std::unique_ptr<Net>(std::move(net));
}

}  // namespace hawser
