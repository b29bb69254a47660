#include "loopback.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace hawser::tool {
namespace {

constexpr std::chrono::milliseconds kPatience{5000};  // with a child that has done its work
constexpr std::chrono::milliseconds kBetweenLooks{2};

}  // namespace

LoopbackServer::LoopbackServer(const PerfOptions& options, Streams& streams)
    : streams_(streams), timeout_ms_(options.timeout_ms) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    streams_.note(std::string("no pipe for the server: ") + std::strerror(errno));
    return;
  }
  const pid_t parent = ::getpid();
  child_ = ::fork();
  if (child_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);  // it has gone already
    ::close(ends[0]);
    port_pipe_ = ends[1];
    serve(options);
  }
  ::close(ends[1]);
  port_pipe_ = ends[0];
  if (child_ < 0) streams_.note(std::string("no process for the server: ") + std::strerror(errno));
}

void LoopbackServer::serve(PerfOptions options) {
  streams_.people_read_stderr();
  SideOutput output;
  output.note = [this](std::string_view line) { streams_.note("server: " + std::string(line)); };
  output.listening = [this](int port_base) {
    if (::write(port_pipe_, &port_base, sizeof port_base) != sizeof port_base) ::_exit(1);
  };
  const SideResult report = perf(options, output);
  ::_exit(static_cast<int>(report.status));
}

int LoopbackServer::wait_for_port_base() {
  if (child_ < 0) return -1;
  pollfd waiting{port_pipe_, POLLIN, 0};
  int port_base = -1;
  const bool said = ::poll(&waiting, 1, timeout_ms_) > 0 &&
                    ::read(port_pipe_, &port_base, sizeof port_base) == sizeof port_base;
  return said ? port_base : -1;
}

bool LoopbackServer::reaped() {
  int status = 0;
  if (child_ > 0 && ::waitpid(child_, &status, WNOHANG) != 0) {
    child_ = -1;
    if (WIFEXITED(status)) status_ = WEXITSTATUS(status);
  }
  return child_ <= 0;
}

int LoopbackServer::end(bool by_itself) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (by_itself && !reaped() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(kBetweenLooks);
  if (!reaped()) {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = -1;
  }
  if (port_pipe_ >= 0) ::close(port_pipe_);
  port_pipe_ = -1;
  return status_;
}

}  // namespace hawser::tool
