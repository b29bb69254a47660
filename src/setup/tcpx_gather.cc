#include "setup/tcpx_gather.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/address.h"
#include "base/cpus.h"
#include "base/parameters.h"
#include "machine/numa.h"

namespace hawser {
namespace {

constexpr std::string_view kVersionMark = "GPUDirectTCPX ver. ";
constexpr std::size_t kMaxVersion = 32;            // characters
constexpr std::size_t kBlockBytes = 1024 * 1024;   // read at a time
constexpr std::size_t kMaxLibraryBytes = 1 << 28;  // looked through at most

std::string version_at(std::string_view text) {
  const auto end = std::min({text.find_first_not_of("0123456789."), text.size(), kMaxVersion});
  std::string version(text.substr(0, end));
  while (version.ends_with('.')) version.pop_back();
  return version;
}

std::vector<std::string> names_of_interfaces(const std::string& sysfs_root) {
  std::vector<std::string> names;
  std::error_code problem;
  const auto folder = std::filesystem::path(sysfs_root) / "class" / "net";
  for (const auto& entry : std::filesystem::directory_iterator(folder, problem))
    names.push_back(entry.path().filename().string());
  return names;
}

std::vector<int> cpus_of_machine(const std::string& sysfs_root) {
  std::ifstream in(std::filesystem::path(sysfs_root) / "devices/system/cpu/online");
  std::string text;
  if (!(in >> text)) return {};
  auto cpus = parse_cpus(text);
  return cpus.ok() ? *std::move(cpus) : std::vector<int>();
}

std::vector<Interface> interfaces_of_machine(const std::string& sysfs_root) {
  auto list = list_interfaces(sysfs_root);
  return list.ok() ? *std::move(list) : std::vector<Interface>();
}

}  // namespace

void set_tcpx_defaults() {
  const Parameter& sockets = parameters::kTcpxSocketsPerThread;
  const Parameter& threads = parameters::kTcpxThreads;
  if (sockets.text() || threads.text()) return;
  ::setenv(sockets.name, "2", 1);
  ::setenv(threads.name, "1", 1);
}

std::string version_in_library(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  const std::size_t overlap = kVersionMark.size() + kMaxVersion;
  std::string window;  // the end of the block before, then the block
  for (std::size_t read = 0; in && read < kMaxLibraryBytes; read += kBlockBytes) {
    window.erase(0, window.size() - std::min(window.size(), overlap));
    const std::size_t kept = window.size();
    window.resize(kept + kBlockBytes);
    in.read(window.data() + kept, kBlockBytes);
    window.resize(kept + static_cast<std::size_t>(in.gcount()));
    // One that is cut off by the block's end is seen whole with the next.
    const auto at = window.find(kVersionMark);
    if (at != window.npos && (!in || at + overlap <= window.size()))
      return version_at(std::string_view(window).substr(at + kVersionMark.size()));
  }
  return "";
}

TcpxSetup gather_tcpx_setup(const PluginFound& plugin) {
  using namespace parameters;
  const std::string sysfs = kSysfsRoot.text_or_default();
  TcpxSetup setup;
  setup.plugin = plugin;
  setup.kind = tcpx_kind(plugin.name);
  setup.version = version_in_library(plugin.file);
  setup.dynamic_chunk_bytes = kTcpxDynamicChunkSize.text();
  setup.sockets_per_thread = kTcpxSocketsPerThread.text();
  setup.threads = kTcpxThreads.text();
  setup.inline_bytes = kTcpxInlineThreshold.text();
  setup.tx_bindings = kTcpxTxBindings.text();
  setup.rx_bindings = kTcpxRxBindings.text();
  setup.data_interfaces = kTcpxSocketIfname.text();
  setup.control_device = kTcpxControlDevice.text();
  setup.rxdm_folder = kTcpxUnixClientPrefix.text_or_default();
  setup.cpus = cpus_of_machine(sysfs);
  setup.numa_nodes = numa_nodes(sysfs);
  setup.interface_names = names_of_interfaces(sysfs);
  setup.interfaces = interfaces_of_machine(sysfs);
  return setup;
}

void set_peer(TcpxSetup& setup, const std::string& peer) {
  setup.peer = peer;
  if (peer.empty()) return;
  const auto found = sockets::resolve(peer, 1, sockets::Use::connect);
  if (!found.ok()) return;
  for (const SocketAddress& address : *found) setup.peer_addresses.push_back(address.ip);
}

Status refuse_same_host(const std::string& plugin_name, const std::string& peer) {
  TcpxSetup setup;
  setup.plugin.name = plugin_name;
  setup.interfaces = interfaces_of_machine(parameters::kSysfsRoot.text_or_default());
  set_peer(setup, peer);
  const auto finding = check_peer(setup);
  if (!finding) return {};
  return Error(Code::invalid_argument, plugin_name + ": " + finding->text());
}

}  // namespace hawser
