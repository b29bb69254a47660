#include "streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <mutex>

namespace hawser::tool {
namespace {

// 0, or the errno that ended it.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

// Who writes a result, who ends a Streams, and who has the last word, which is never given back.
struct Turn {
  std::timed_mutex mutex;  // guards the other
  Streams* streams = nullptr;
};

Turn& the_turn() {
  static Turn* const turn = new Turn;  // never destroyed: threads may outlive main()
  return *turn;
}

constexpr std::chrono::seconds kLastWord{2};  // stdout may be a pipe that nobody reads

}  // namespace

Streams::Streams() : out_(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)) {
  if (out_ >= 0) ::dup2(STDERR_FILENO, STDOUT_FILENO);
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // what a plugin prints is out before it exits
  the_turn().streams = this;
}

Streams::~Streams() {
  const std::lock_guard turn(the_turn().mutex);
  the_turn().streams = nullptr;
  if (out_ < 0) return;
  std::fflush(stdout);
  ::dup2(out_, STDOUT_FILENO);
  ::close(out_);
}

void Streams::result(std::string_view text) {
  const std::lock_guard turn(the_turn().mutex);
  write_result(text);
}

void Streams::write_result(std::string_view text) {
  const int problem = out_ < 0 ? EBADF : write_all(out_, text);
  if (problem != 0 && intact_)
    note(std::string("cannot write to stdout: ") + std::strerror(problem));
  intact_ = intact_ && problem == 0;
}

void Streams::last_line(std::string_view line) {
  Turn& turn = the_turn();
  if (!turn.mutex.try_lock_for(kLastWord) || turn.streams == nullptr) return;
  const std::string text = std::string(line) + "\n";
  turn.streams->for_people_ ? turn.streams->write_result(text) : turn.streams->plain(text);
}

void Streams::note(std::string_view line) {
  plain("hawser: " + std::string(line) + "\n");
}

void Streams::plain(std::string_view text) {
  write_all(STDERR_FILENO, text);
}

bool write_file(Streams& streams, const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  int problem = fd < 0 ? errno : write_all(fd, text);
  if (fd >= 0 && ::close(fd) != 0 && problem == 0) problem = errno;
  if (problem != 0) streams.note("cannot write " + path + ": " + std::strerror(problem));
  return problem == 0;
}

}  // namespace hawser::tool
