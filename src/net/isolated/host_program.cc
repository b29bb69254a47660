#include "net/isolated/host_program.h"

#include <dlfcn.h>
#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "base/parameters.h"

namespace hawser::isolate {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "hawser-plugin-host";
// From the folder of what this code is in: an installed library, an installed program with the
// library inside, and those of a build tree: libhawser and the tests, the command.
constexpr const char* kPlaces[] = {HAWSER_LIBEXEC_FROM_LIB, HAWSER_LIBEXEC_FROM_BIN,
                                   "../tools/plugin_host", "../plugin_host"};

bool is_program(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

// The folders of the library that this code is in, if it is in one, and of the program.
std::vector<fs::path> own_folders() {
  std::vector<fs::path> folders;
  std::error_code failed;
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&find_host_program), &info) != 0 &&
      info.dli_fname != nullptr) {
    const fs::path library = fs::canonical(info.dli_fname, failed);
    if (!failed) folders.push_back(library.parent_path());
  }
  const fs::path program = fs::canonical("/proc/self/exe", failed);
  if (!failed) folders.push_back(program.parent_path());
  return folders;
}

Result<std::string> checked(const std::string& path, const char* from) {
  if (is_program(path)) return path;
  return Error(Code::unavailable,
               fmt::format("'{}' ({}) is no program that can be run: it must be the {} of this "
                           "version of hawser",
                           path, from, kProgram));
}

}  // namespace

Result<std::string> find_host_program(const std::string& given) {
  if (!given.empty()) return checked(given, "asked for");
  if (const auto set = parameters::kPluginHost.text())
    return checked(*set, parameters::kPluginHost.name);
  std::string tried;
  for (const fs::path& folder : own_folders()) {
    for (const char* place : kPlaces) {
      const fs::path path = (folder / place / kProgram).lexically_normal();
      if (is_program(path)) return path.string();
      tried += fmt::format("{}{}", tried.empty() ? "" : ", ", path.string());
    }
  }
  return Error(Code::unavailable,
               fmt::format("no {} for --isolate, at none of {}: install hawser whole, or set {} to "
                           "the program's path",
                           kProgram, tried, parameters::kPluginHost.name));
}

}  // namespace hawser::isolate
