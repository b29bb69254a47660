// Hosting: an NCCL net plugin (ABI v5 to v12), loaded and driven as a Net.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/abi/types.h"
#include "net/hosted/call_journal.h"
#include "net/net.h"

namespace hawser {

class Gpu;

// What TCPX-like plugins take in one request; more fragments than that kill the process.
inline constexpr std::size_t kUnpackRequestBytes = 512 * 1024;
// What any other plugin is given at most: test() tells sizes as an int in every version.
inline constexpr std::size_t kMaxHostedRequestBytes = std::size_t{1} << 30;

// A plugin somebody asked for, and how.
struct PluginChoice {
  std::string path_or_name;         // one entry of a list, as NCCL_NET_PLUGIN has them
  std::string why;                  // "NCCL_NET_PLUGIN=x,y"
  bool by_nccl_net_plugin = false;  // then NCCL_NET, where set, must equal the plugin's name
};

// A plugin whose library is open, and of which nothing has been called.
struct PluginFound {
  std::string name;  // as its table has it: "GPUDirectTCPX_v7"
  int abi_version = 0;
  std::string file;  // where the loader found the library; empty where it does not tell
};

// Google's GPUDirect-TCPX, or one that plays it; told by the plugin's name.
enum class TcpxKind { none, emulated, real };
TcpxKind tcpx_kind(const std::string& plugin_name);

struct PluginOptions {
  PluginChoice choice;
  // Made current before calls that need a current device; reads device handles that lie in its
  // memory. Null where only host memory will be used.
  std::shared_ptr<Gpu> gpu;
  // Where calls in progress are noted; null makes one of the Net's own.
  std::shared_ptr<CallJournal> journal;
  // The largest request to an unpacking plugin, 4096 to kUnpackRequestBytes. Given to the plugin as
  // NCCL_DYNAMIC_CHUNK_SIZE unless the user set that.
  std::size_t chunk_bytes = kUnpackRequestBytes;
  // What was asked for, for whoever looks at the set-up before init: the largest chunk (0: left
  // open), and the machine that will be connected to (empty: none, or not known).
  std::size_t wanted_chunk_bytes = 0;
  std::string peer;
  // Asked before the plugin is initialised, since that may end the process. Its error is the
  // answer: with Code::invalid_argument no other candidate is tried.
  std::function<Status(const PluginFound&)> before_init;
  // The highest ABI version that is looked for in the library, for a plugin that exports several.
  int max_version = abi::kNewestVersion;
};

// Which plugins to try, in order; empty for none. The first source that is set decides:
// `explicit_choice` (a list, as NCCL_NET_PLUGIN takes it), NCCL_GPUDIRECTTCPX_PLUGIN_PATH,
// NCCL_NET_PLUGIN, the default of the former where that file exists. `none` is no plugin.
std::vector<PluginChoice> plugin_candidates(const std::string& explicit_choice);

// Loads, checks and initialises one plugin. Before the library is opened SIGPIPE is ignored
// (where it has its default action) and NCCL_DYNAMIC_CHUNK_SIZE is set (where it is unset), both
// for the process: load plugins before starting threads that read the environment. The library
// stays in the process for good: plugins leave threads behind.
Result<std::unique_ptr<Net>> load_plugin(const PluginOptions& options);

// The first of `candidates` that loads; the error tells what was wrong with each. One that cannot
// be used because settings are wrong (Code::invalid_argument) ends the search: the next would not
// be what was asked for. Code::unavailable where there is none. `options.choice` is not looked at.
Result<std::unique_ptr<Net>> load_first_plugin(const std::vector<PluginChoice>& candidates,
                                               PluginOptions options);

}  // namespace hawser
