#include "perf/host.h"

#include <dirent.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <fstream>
#include <memory>

#include "base/socket.h"
#include "perf/affinity.h"
#include "perf/bare_socket.h"
#include "perf/sizes.h"

namespace hawser {
namespace {

std::set<int> open_descriptors() {
  std::set<int> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), &::closedir);
  if (!folder) return found;
  while (const dirent* entry = ::readdir(folder.get())) {
    int fd = -1;
    const char* const end = entry->d_name + std::strlen(entry->d_name);
    const bool number = std::from_chars(entry->d_name, end, fd).ptr == end;
    if (number && fd != ::dirfd(folder.get())) found.insert(fd);
  }
  return found;
}

bool is_connected_tcp(int fd) {
  int protocol = 0;
  socklen_t bytes = sizeof protocol;
  if (::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &bytes) != 0) return false;
  return protocol == IPPROTO_TCP && sockets::remote_address(fd).ok();
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name") && line.find(": ") != std::string::npos)
      return line.substr(line.find(": ") + 2);
  return "unknown processor";
}

std::string kernel_name() {
  utsname names{};
  if (::uname(&names) != 0) return "unknown kernel";
  return fmt::format("{} {} {}", names.sysname, names.release, names.machine);
}

}  // namespace

void TransportSockets::before() {
  known_ = open_descriptors();
}

void TransportSockets::after() {
  for (const int fd : open_descriptors()) {
    if (known_.contains(fd) || !is_connected_tcp(fd)) continue;
    ++count_;
    ++controls_[congestion_control(fd)];
  }
}

std::string TransportSockets::congestion() const {
  std::string text;
  for (const auto& [name, count] : controls_) text += (text.empty() ? "" : "+") + name;
  return text;
}

std::string TransportSockets::common_congestion() const {
  std::string most;
  for (const auto& [name, count] : controls_)
    if (most.empty() || count > controls_.at(most)) most = name;
  return most;
}

std::string machine_text(bool cpus_chosen) {
  const std::vector<int> cpus = allowed_cpus();
  return fmt::format("{}, {}, {} {} of {} CPUs ({})", kernel_name(), processor_name(),
                     cpus_chosen ? "kept on" : "not pinned: anywhere on", cpus.size(),
                     ::sysconf(_SC_NPROCESSORS_ONLN), cpus_text(cpus));
}

std::string path_text(const Environment& environment, const TransportSockets& sockets) {
  const NetDevice& device = environment.net_device();
  std::string text =
      fmt::format("{} on {} ({}), {}", environment.transport.net->name(), device.name,
                  device.address.empty() ? "-" : device.address, environment.memory_name);
  if (environment.net_device().capabilities.needs_unpack)
    text += fmt::format(", unpack {}{}", environment.unpack(),
                        environment.leaves_data_out()
                            ? " (the network alone: data not in place, NOT VERIFIED)"
                            : "");
  text += sockets.count() == 0
              ? ", no TCP sockets of its own seen"
              : fmt::format(", {} TCP sockets with {}", sockets.count(), sockets.congestion());
  return device.manner.empty() ? text : text + fmt::format(" ({})", device.manner);
}

std::string default_congestion_control() {
  std::ifstream file("/proc/sys/net/ipv4/tcp_congestion_control");
  std::string name;
  file >> name;
  return name.empty() ? "unknown" : name;
}

}  // namespace hawser
