#include "net/hosted/plugin_library.h"

#include <dlfcn.h>
#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/parameters.h"
#include "net/hosted/hosting.h"

namespace hawser {
namespace {

constexpr const char* kNobody = "none";

std::string without_blanks(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool names_a_library(const std::string& entry) {
  return entry.starts_with("lib") && entry.find(".so") != std::string::npos;
}

std::string symbol_name(int version) {
  return fmt::format("ncclNetPlugin_v{}", version);
}

std::string last_loader_error() {
  const char* text = dlerror();
  return text == nullptr ? "no reason given" : text;
}

Error no_symbol(void* library, const std::string& file, int max_version) {
  const std::string looked_for =
      fmt::format("{} down to {}", symbol_name(max_version), symbol_name(abi::kOldestVersion));
  if (dlsym(library, symbol_name(4).c_str()) != nullptr) {
    return Error(Code::unavailable,
                 fmt::format("{} exports only ncclNetPlugin_v4 (NCCL 2.8 to 2.11), looked for {}: "
                             "a newer build of the plugin is needed",
                             file, looked_for));
  }
  return Error(Code::unavailable,
               fmt::format("{} is no NCCL net plugin that can be hosted: looked for {}; {}", file,
                           looked_for, last_loader_error()));
}

void add_choices(std::vector<PluginChoice>& choices, const std::string& list,
                 const std::string& why, bool by_nccl_net_plugin) {
  for (const std::string& entry : split_plugin_list(list))
    if (entry != kNobody) choices.push_back({entry, why, by_nccl_net_plugin});
}

}  // namespace

std::vector<std::string> split_plugin_list(const std::string& list) {
  std::vector<std::string> entries;
  for (std::size_t start = 0; start <= list.size();) {
    const std::size_t comma = std::min(list.find(',', start), list.size());
    if (std::string entry = without_blanks(list.substr(start, comma - start)); !entry.empty())
      entries.push_back(std::move(entry));
    start = comma + 1;
  }
  return entries;
}

std::string plugin_library_name(const std::string& entry) {
  if (entry.empty()) return "libnccl-net.so";
  if (entry.find('/') != std::string::npos || names_a_library(entry)) return entry;
  return fmt::format("libnccl-net-{}.so", entry);
}

std::vector<PluginChoice> plugin_candidates(const std::string& explicit_choice) {
  std::vector<PluginChoice> choices;
  const auto tcpx_path = parameters::kTcpxPluginPath.text();
  const auto nccl_list = parameters::kNcclNetPlugin.text();
  const std::string tcpx_default = parameters::kTcpxPluginPath.default_value;
  if (!explicit_choice.empty()) {
    add_choices(choices, explicit_choice, "asked for by option", false);
  } else if (tcpx_path) {
    choices.push_back(
        {*tcpx_path, fmt::format("{}={}", parameters::kTcpxPluginPath.name, *tcpx_path), false});
  } else if (nccl_list) {
    add_choices(choices, *nccl_list,
                fmt::format("{}={}", parameters::kNcclNetPlugin.name, *nccl_list), true);
  } else if (access(tcpx_default.c_str(), F_OK) == 0) {
    choices.push_back({tcpx_default, fmt::format("{} exists", tcpx_default), false});
  }
  return choices;
}

Result<std::unique_ptr<PluginApi>> open_plugin_library(const std::string& entry, int max_version) {
  const std::string file = plugin_library_name(entry);
  void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    return Error(Code::unavailable, fmt::format("cannot load plugin '{}' as {}: {}", entry, file,
                                                last_loader_error()));
  for (int version = max_version; version >= abi::kOldestVersion; --version) {
    const void* const table = dlsym(library, symbol_name(version).c_str());
    if (table == nullptr) continue;
    auto api = make_plugin_api(version, table);
    if (!api.ok()) return api.error().within(fmt::format("loading {}", file));
    return api;
  }
  return no_symbol(library, file, max_version);
}

void ignore_sigpipe_unless_handled() {
  struct sigaction current {};
  if (sigaction(SIGPIPE, nullptr, &current) == 0 && current.sa_handler == SIG_DFL)
    signal(SIGPIPE, SIG_IGN);
}

void set_plugin_chunk_bytes(std::size_t bytes) {
  const Parameter& chunk = parameters::kTcpxDynamicChunkSize;
  if (!chunk.text()) setenv(chunk.name, std::to_string(bytes).c_str(), 1);
}

}  // namespace hawser
