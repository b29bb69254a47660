#include "net/isolated/child.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "net/isolated/plugin_host.h"

extern char** environ;  // NOLINT

namespace hawser::isolate {
namespace {

constexpr idtype_t kPidfd = static_cast<idtype_t>(3);  // P_PIDFD, which old headers lack
constexpr Milliseconds kKilled{5000};

class SpawnSettings {
 public:
  SpawnSettings(int socket, int errors, int nothing) {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawn_file_actions_adddup2(&files_, socket, kHostSocket);  // first: it may be 0 to 2
    ::posix_spawn_file_actions_adddup2(&files_, nothing, 0);
    ::posix_spawn_file_actions_adddup2(&files_, errors, 1);
    ::posix_spawn_file_actions_adddup2(&files_, errors, 2);
#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 34)
    ::posix_spawn_file_actions_addclosefrom_np(&files_, kHostSocket + 1);
#endif
#endif
    ::posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&files_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  int spawn(pid_t& pid, const std::string& program) const {
    std::string name = program;
    char* const arguments[] = {name.data(), nullptr};
    return ::posix_spawn(&pid, program.c_str(), &files_, &attributes_, arguments, environ);
  }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

ChildEnd to_end(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return {info.si_status, std::nullopt};
  return {std::nullopt, info.si_status};
}

}  // namespace

Result<Child> Child::start(const std::string& program, int socket, int errors) {
  pid_t pid = -1;
  // Here, so that its failing is not taken for the program's; and out of the way of kHostSocket.
  const UniqueFd opened(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const UniqueFd nothing(opened.valid() ? ::fcntl(opened.get(), F_DUPFD_CLOEXEC, kHostSocket + 1)
                                        : -1);
  if (!nothing.valid()) return system_error(errno, "opening /dev/null for a plugin's process");
  if (const int err = SpawnSettings(socket, errors, nothing.get()).spawn(pid, program); err != 0)
    return system_error(err, fmt::format("starting {}", program));
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  const bool gone = !pidfd.valid() && errno == ESRCH;  // ended and waited for by another
  Child child(pid, std::move(pidfd));
  if (gone) child.end_ = ChildEnd{};
  return child;
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      end_(std::move(other.end_)) {}

Child::~Child() {
  if (pid_ < 0 || end_) return;
  kill(SIGKILL);
  wait(kKilled);
}

void Child::kill(int signal) const {
  if (end_) return;
  if (pidfd_.valid())
    ::syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0);
  else
    ::kill(pid_, signal);
}

// Another part of the program may have waited for all children, or want none to be waited for.
std::optional<ChildEnd> Child::poll() {
  siginfo_t info{};
  const bool by_fd = pidfd_.valid();
  const idtype_t kind = by_fd ? kPidfd : P_PID;
  const auto id = static_cast<id_t>(by_fd ? pidfd_.get() : pid_);
  if (::waitid(kind, id, &info, WEXITED | WNOHANG) != 0) {
    if (errno == EINTR) return std::nullopt;
    return ChildEnd{};
  }
  if (info.si_pid == 0) return std::nullopt;
  return to_end(info);
}

std::optional<ChildEnd> Child::wait(Milliseconds at_most) {
  const Deadline deadline = Deadline::after(at_most);
  for (Backoff backoff; !end_; backoff.idle()) {
    end_ = poll();
    if (end_ || deadline.expired()) break;
    pollfd watched{pidfd_.get(), POLLIN, 0};
    if (pidfd_.valid()) ::poll(&watched, 1, deadline.poll_timeout_ms(1000));
  }
  return end_;
}

}  // namespace hawser::isolate
