#include "support/subprocess.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ;

namespace hawser::test {
namespace {

// What a test keeps of one stream; more is thrown away, so that a runaway program cannot eat
// the machine's memory.
constexpr std::size_t kMaxOutputBytes = std::size_t{16} << 20;

struct Pipe {
  UniqueFd read, write;
};

Pipe make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    ADD_FAILURE() << "pipe2: " << std::strerror(errno);
    return {};
  }
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::vector<std::string> merged_environment(const Command& command) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto name = text.substr(0, text.find('='));
    const bool replaced = std::any_of(command.env.begin(), command.env.end(),
                                      [&](const auto& pair) { return pair.first == name; });
    if (!replaced) merged.emplace_back(text);
  }
  for (const auto& [name, value] : command.env)
    if (!value.empty()) merged.push_back(name + "=" + value);
  return merged;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (auto& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

// A spawn's actions and attributes, freed together.
class SpawnSetup {
 public:
  SpawnSetup(const std::string& cwd, int out, int err) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    if (!cwd.empty()) posix_spawn_file_actions_addchdir_np(&actions, cwd.c_str());
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

pid_t spawn(Command& command, int out, int err) {
  if (!command.netns.empty()) {
    const std::vector<std::string> prefix = {"ip", "netns", "exec", command.netns};
    command.args.insert(command.args.begin(), prefix.begin(), prefix.end());
  }
  auto environment = merged_environment(command);
  auto argv = pointers(command.args);
  auto envp = pointers(environment);
  const SpawnSetup setup(command.cwd, out, err);
  pid_t pid = -1;
  const int error =
      posix_spawnp(&pid, argv[0], &setup.actions, &setup.attributes, argv.data(), envp.data());
  if (error == 0) return pid;
  ADD_FAILURE() << "cannot start " << command.args[0] << ": " << std::strerror(error);
  return -1;
}

void record_status(int status, Outcome& outcome) {
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
}

}  // namespace

Command& Command::arg(std::string text) {
  args.push_back(std::move(text));
  return *this;
}

Command& Command::with_env(std::string name, std::string value) {
  env.emplace_back(std::move(name), std::move(value));
  return *this;
}

std::string Outcome::describe() const {
  return fmt::format(
      "exit code {}, signal {}{}\n--- standard output ---\n{}\n--- standard error ---\n{}\n---",
      exit_code, signal, timed_out ? ", killed at the deadline" : "", out, err);
}

Subprocess::Subprocess(Command command) : name_(command.args.at(0)) {
  Pipe out = make_pipe(), err = make_pipe(), wake = make_pipe();
  pid_ = spawn(command, out.write.get(), err.write.get());
  if (pid_ < 0) {
    ended_ = true;
    return;
  }
  pid_fd_ = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  out_fd_ = std::move(out.read);
  err_fd_ = std::move(err.read);
  for (const int fd : {out_fd_.get(), err_fd_.get()}) fcntl(fd, F_SETFL, O_NONBLOCK);
  wake_read_ = std::move(wake.read);
  wake_write_ = std::move(wake.write);
  drainer_ = std::thread([this] { drain(); });
}

Subprocess::~Subprocess() {
  if (pid_ < 0) return;
  kill(-pid_, SIGKILL);  // also what the program itself started
  wake_write_.reset();
  drainer_.join();
}

bool Subprocess::running() const {
  const std::lock_guard lock(mutex_);
  return !ended_;
}

bool Subprocess::send_signal(int signal) {
  const std::lock_guard lock(mutex_);  // the pid cannot be reused: it is reaped under this lock
  return !ended_ && kill(pid_, signal) == 0;
}

bool Subprocess::wait_for_output(const std::string& pattern, std::chrono::milliseconds patience) {
  const std::regex regex(pattern);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::unique_lock lock(mutex_);
  const auto matches = [&] {
    return std::regex_search(outcome_.out, regex) || std::regex_search(outcome_.err, regex);
  };
  while (!matches() && !ended_ && changed_.wait_until(lock, deadline) != std::cv_status::timeout)
    continue;
  if (matches()) return true;
  ADD_FAILURE() << name_ << " never printed /" << pattern << "/: " << outcome_.describe();
  return false;
}

Outcome Subprocess::wait(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, patience, [this] { return ended_; })) {
    outcome_.timed_out = true;
    kill(-pid_, SIGKILL);
    changed_.wait(lock, [this] { return ended_; });
    ADD_FAILURE() << name_ << " ran for over " << patience.count()
                  << " ms: " << outcome_.describe();
  }
  return outcome_;
}

void Subprocess::collect(int fd, std::string& into) {
  char buffer[16384];
  for (;;) {
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got <= 0) return;
    const std::lock_guard lock(mutex_);
    into.append(buffer, std::min(static_cast<std::size_t>(got), kMaxOutputBytes - into.size()));
    changed_.notify_all();
  }
}

// Ends when the program does, even if a child of it still holds the pipes.
void Subprocess::drain() {
  bool program_ended = false;
  while (!program_ended) {
    pollfd fds[] = {{pid_fd_.get(), POLLIN, 0},
                    {wake_read_.get(), 0, 0},
                    {out_fd_.get(), POLLIN, 0},
                    {err_fd_.get(), POLLIN, 0}};
    if (poll(fds, std::size(fds), -1) < 0 && errno != EINTR) break;
    program_ended = fds[0].revents != 0 || fds[1].revents != 0;
    collect(out_fd_.get(), outcome_.out);
    collect(err_fd_.get(), outcome_.err);
    if (fds[2].revents & POLLHUP) out_fd_.reset();
    if (fds[3].revents & POLLHUP) err_fd_.reset();
  }
  siginfo_t info;
  waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  collect(out_fd_.get(), outcome_.out);
  collect(err_fd_.get(), outcome_.err);
  const std::lock_guard lock(mutex_);
  int status = 0;
  waitpid(pid_, &status, 0);
  record_status(status, outcome_);
  ended_ = true;
  changed_.notify_all();
}

Outcome run(Command command, std::chrono::milliseconds patience) {
  return Subprocess(std::move(command)).wait(patience);
}

}  // namespace hawser::test
