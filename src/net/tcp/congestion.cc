#include "net/tcp/congestion.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <fstream>

#include "base/socket.h"

namespace hawser::tcp {
namespace {

constexpr int kMaxName = 16;  // TCP_CA_NAME_MAX

std::string first_line(const char* file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

Error refused(int error, const std::string& name) {
  return system_error(
      error, fmt::format("setting the congestion control to '{}' (this kernel has {}; without "
                         "CAP_NET_ADMIN only {} may be chosen)",
                         name, first_line("/proc/sys/net/ipv4/tcp_available_congestion_control"),
                         first_line("/proc/sys/net/ipv4/tcp_allowed_congestion_control")));
}

}  // namespace

std::string congestion_of(int fd) {
  char name[kMaxName + 1] = {};
  socklen_t bytes = kMaxName;
  if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &bytes) != 0) return "";
  return name;
}

Status set_congestion(int fd, const std::string& name) {
  if (congestion_of(fd) == name) return {};
  if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name.data(),
                 static_cast<socklen_t>(name.size())) == 0)
    return {};
  return refused(errno, name);
}

Result<std::string> choose_congestion(const std::string& wish) {
  const UniqueFd probe = sockets::open_socket(IpFamily::ipv4);
  if (!probe.valid())
    return system_error(errno, "opening a socket to ask for its congestion control");
  const std::string preset = congestion_of(probe.get());
  if (wish == "system") return preset;
  if (wish != "auto") {
    HAWSER_TRY(set_congestion(probe.get(), wish));
    return wish;
  }
  if (!preset.starts_with("bbr")) return preset;
  for (const char* const name : {"cubic", "reno"})
    if (set_congestion(probe.get(), name).ok()) return std::string(name);
  return preset;
}

}  // namespace hawser::tcp
