#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/result.h"
#include "links/links.h"

namespace hawser::bench {
namespace {

constexpr double kKiB = 1024;

// "VmRSS" of /proc/self/status, in KiB.
double status_of_process(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + ":")) return std::stod(line.substr(name.size() + 1));
  return 0;
}

// What the kernel has for TCP in this network namespace, all of its processes'.
double socket_pages() {
  std::ifstream file("/proc/net/sockstat");
  for (std::string line; std::getline(file, line);)
    if (const auto at = line.find(" mem "); line.starts_with("TCP:") && at != std::string::npos)
      return std::stod(line.substr(at + 5));
  return 0;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void allow_many_files() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

EngineOptions idle_engine(const LinksOptions& options) {
  EngineOptions engine;
  engine.devices = options.devices;
  return engine;
}

Status serve_idle(const LinksOptions& options, int tell) {
  HAWSER_ASSIGN(const auto engine, Engine::create(idle_engine(options)));
  HAWSER_ASSIGN(const auto acceptor, engine->listen(options.address, 0));
  const int port = acceptor->port();
  if (::write(tell, &port, sizeof port) != sizeof port) return {};
  std::vector<Link> links;
  for (int i = 0; i < options.links; ++i) {
    HAWSER_ASSIGN(Link link, acceptor->accept(60'000));
    links.push_back(std::move(link));
  }
  while (true) ::pause();
}

Status hold_idle(const LinksOptions& options) {
  HAWSER_ASSIGN(const auto engine, Engine::create(idle_engine(options)));
  const double memory_before = status_of_process("VmRSS");
  const double pages_before = socket_pages();
  LinkOptions link_options;
  link_options.channels_per_device = options.channels;
  std::vector<Link> links;
  for (int i = 0; i < options.links; ++i) {
    HAWSER_ASSIGN(Link link, engine->connect(options.address, options.port, link_options));
    links.push_back(std::move(link));
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(options.warm_up_seconds));
  const double cpu_before = cpu_seconds();
  std::this_thread::sleep_for(std::chrono::duration<double>(options.seconds));
  const double cpu = cpu_seconds() - cpu_before;
  double channels = 0;
  for (const Link& link : links) channels += static_cast<double>(link.report().channels.size());
  std::puts(fmt::format("{} links, {} channels, {} threads", options.links, channels,
                        status_of_process("Threads"))
                .c_str());
  std::puts(fmt::format("CPU while idle: {:.2f} %", 100 * cpu / options.seconds).c_str());
  std::puts(fmt::format("memory per channel: {:.1f} KiB of the process, {:.1f} KiB of the kernel's "
                        "sockets (both sides)",
                        (status_of_process("VmRSS") - memory_before) / channels,
                        (socket_pages() - pages_before) *
                            static_cast<double>(::sysconf(_SC_PAGESIZE)) / kKiB / channels)
                .c_str());
  return {};
}

}  // namespace

Status idle(const LinksOptions& options) {
  allow_many_files();
  int pipe[2];
  if (::pipe(pipe) != 0) return Error(Code::system, "no pipe");
  const pid_t server = ::fork();
  if (server == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const Status served = serve_idle(options, pipe[1]);
    if (!served.ok()) std::fprintf(stderr, "%s\n", served.error().message().c_str());
    ::_exit(1);
  }
  LinksOptions with_port = options;
  Status held = Error(Code::system, "the server process did not start");
  ::close(pipe[1]);
  if (::read(pipe[0], &with_port.port, sizeof with_port.port) == sizeof with_port.port)
    held = hold_idle(with_port);
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  return held;
}

}  // namespace hawser::bench
