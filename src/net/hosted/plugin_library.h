// Finding and opening a plugin's shared library.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/hosted/plugin_api.h"

namespace hawser {

// The entries of a list as NCCL_NET_PLUGIN holds it, without blanks and empty ones.
std::vector<std::string> split_plugin_list(const std::string& list);

// What to dlopen for an entry of such a list: a path (with a slash) or libX.so as it is,
// x as libnccl-net-x.so, nothing as libnccl-net.so.
std::string plugin_library_name(const std::string& entry);

// Opens the library for the life of the process (plugins leave threads and atexit handlers in it,
// so it is never closed), with none of its symbols visible to others, and takes the
// highest version up to `max_version` that both know. The errors say what was looked for, and what
// the loader said.
Result<std::unique_ptr<PluginApi>> open_plugin_library(const std::string& entry,
                                                       int max_version = abi::kNewestVersion);

// Prepares the process for a plugin; see load_plugin() for what and when.
void ignore_sigpipe_unless_handled();
void set_plugin_chunk_bytes(std::size_t bytes);

}  // namespace hawser
