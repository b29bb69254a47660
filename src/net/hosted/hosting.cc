#include "net/hosted/hosting.h"

#include <fmt/core.h>

#include "base/log.h"
#include "net/hosted/hosted_net.h"
#include "net/hosted/plugin_library.h"

namespace hawser {
namespace {

constexpr std::size_t kMinChunkBytes = 4096;

Status check_chunk_bytes(std::size_t bytes) {
  if (bytes >= kMinChunkBytes && bytes <= kUnpackRequestBytes) return {};
  return Error(Code::invalid_argument,
               fmt::format("a chunk of {} bytes for an unpacking plugin: want {} to {}", bytes,
                           kMinChunkBytes, kUnpackRequestBytes));
}

}  // namespace

Result<std::unique_ptr<Net>> load_plugin(const PluginOptions& options) {
  const PluginChoice& choice = options.choice;
  HAWSER_TRY(check_chunk_bytes(options.chunk_bytes));
  ignore_sigpipe_unless_handled();
  set_plugin_chunk_bytes(options.chunk_bytes);
  log_debug("loading plugin '{}' ({})", choice.path_or_name, choice.why);
  HAWSER_ASSIGN(std::unique_ptr<PluginApi> api,
                open_plugin_library(choice.path_or_name, options.max_version));
  return host_plugin(std::move(api), plugin_library_name(choice.path_or_name), options);
}

Result<std::unique_ptr<Net>> load_first_plugin(const std::vector<PluginChoice>& candidates,
                                               PluginOptions options) {
  std::string problems;
  Code code = Code::unavailable;
  for (const PluginChoice& candidate : candidates) {
    options.choice = candidate;
    auto net = load_plugin(options);
    if (net.ok()) return net;
    code = net.error().code();
    problems += fmt::format("{}{} ({})", problems.empty() ? "" : "; ", net.error().message(),
                            candidate.why);
    if (code == Code::invalid_argument) break;
  }
  return Error(code, problems.empty() ? "no plugin was asked for" : problems);
}

}  // namespace hawser
