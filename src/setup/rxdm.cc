#include "setup/rxdm.h"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "base/fd.h"
#include "base/result.h"

namespace hawser {
namespace {

std::string errno_text(const std::string& path, int err) {
  return system_error(err, path).message();
}

}  // namespace

std::vector<std::string> rxdm_sockets(const std::string& folder, const std::string& gpu_bus_id) {
  std::string base = folder;
  while (base.size() > 1 && base.ends_with('/')) base.pop_back();
  std::vector<std::string> paths = {base + "/rx_rule_manager", base + "/rx_rule_uninstall"};
  if (gpu_bus_id.empty()) return paths;
  paths.push_back(fmt::format("{}/get_gpu_fd_{}", base, gpu_bus_id));
  paths.push_back(fmt::format("{}/get_gpu_metadata_{}", base, gpu_bus_id));
  return paths;
}

std::string unix_socket_problem(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fmt::format("{}: longer than the {} characters a unix socket's path may have", path,
                       sizeof address.sun_path - 1);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return errno_text("a unix socket", errno);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return "";
  // Its queue is full: somebody listens, and is busy.
  return errno == EAGAIN ? "" : errno_text(path, errno);
}

}  // namespace hawser
