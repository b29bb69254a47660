#include "net/isolated/error_relay.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/signal_text.h"
#include "base/text.h"

namespace hawser::isolate {
namespace {

constexpr int kLowestWriter = 10;  // out of the way of what the process gets as 0 to 3
constexpr int kReadsAtOnce = 16;   // before anything else has its turn
constexpr int kLastReads = 256;    // as much as a pipe holds; a child of the plugin's may go on
constexpr std::string_view kOurs = "hawser: ";

// What is behind the next ": ", or nothing.
std::string_view behind_colon(std::string_view text) {
  const auto colon = text.find(": ");
  return colon == text.npos ? std::string_view() : text.substr(colon + 2);
}

// Of "hawser: plugin process 12: warning: plugin X: words", which the plugin's log has written; of
// other lines of hawser's, nothing. Without what the log has counted.
std::string_view logged_words(std::string_view line) {
  const std::string_view process = behind_colon(line);
  if (!process.starts_with("plugin process ")) return {};
  const std::string_view plugin = behind_colon(behind_colon(process));
  if (!plugin.starts_with("plugin ")) return {};
  const std::string_view words = behind_colon(plugin);
  return words.substr(0, words.rfind(" (said "));
}

// As long as it lives, writing into a pipe that nobody reads is an error and no signal, as it was
// for the process that wrote the line.
class SigpipeHeld {
 public:
  SigpipeHeld() {
    ::sigemptyset(&sigpipe_);
    ::sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~SigpipeHeld() {
    const timespec now{};
    if (!was_pending_) ::sigtimedwait(&sigpipe_, nullptr, &now);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeHeld(const SigpipeHeld&) = delete;
  SigpipeHeld& operator=(const SigpipeHeld&) = delete;

 private:
  sigset_t sigpipe_, before_;
  bool was_pending_;
};

}  // namespace

Result<std::unique_ptr<ErrorRelay>> ErrorRelay::create(int to) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error(errno, "a pipe from a plugin's process");
  UniqueFd from(ends[0]);
  const UniqueFd low(ends[1]);
  ::fcntl(from.get(), F_SETFL, O_NONBLOCK);  // this end alone
  UniqueFd writer(::fcntl(low.get(), F_DUPFD_CLOEXEC, kLowestWriter));
  if (!writer.valid()) return system_error(errno, "a pipe from a plugin's process");
  return std::unique_ptr<ErrorRelay>(new ErrorRelay(std::move(from), std::move(writer), to));
}

ErrorRelay::ErrorRelay(UniqueFd from, UniqueFd writer, int to)
    : from_(std::move(from)),
      writer_(std::move(writer)),
      to_(to),
      limiter_([this](LogLevel, std::string_view line) { write_line(line); }, Clock::system(),
               kMaxPrinted) {}

void ErrorRelay::pass_on() {
  const SigpipeHeld held;
  take_what_is_there(kReadsAtOnce);
}

void ErrorRelay::finish() {
  const SigpipeHeld held;
  take_what_is_there(kLastReads);
  if (!partial_.empty()) take(partial_);
  partial_.clear();
  limiter_.flush();
}

void ErrorRelay::take_what_is_there(int most_reads) {
  for (int i = 0; i < most_reads && read_some(); ++i) take_lines();
}

// False: nothing was there.
bool ErrorRelay::read_some() {
  std::array<char, 4096> bytes;
  const ssize_t count = from_.valid() ? ::read(from_.get(), bytes.data(), bytes.size()) : -1;
  if (count == 0) from_.reset();
  if (count <= 0) return false;
  partial_.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

void ErrorRelay::take_lines() {
  std::string_view rest = partial_;
  while (!rest.empty()) {
    const auto end = rest.substr(0, kMaxLineBytes).find('\n');
    if (end == rest.npos && rest.size() < kMaxLineBytes) break;
    take(rest.substr(0, std::min(end, kMaxLineBytes)));
    rest.remove_prefix(end == rest.npos ? kMaxLineBytes : end + 1);
  }
  partial_.erase(0, partial_.size() - rest.size());
}

void ErrorRelay::take(std::string_view line) {
  if (line.starts_with(kOurs)) {
    remember(logged_words(line));
    write_line(line);
  } else {
    remember(line);
    limiter_.take(LogLevel::warning, line);
  }
}

// What comes again keeps its place: it is not news.
void ErrorRelay::remember(std::string_view words) {
  if (words.empty()) return;
  const auto shape = shape_of(LogLevel::warning, words);
  const auto known = std::find_if(
      last_words_.begin(), last_words_.end(),
      [shape](const std::string& before) { return shape_of(LogLevel::warning, before) == shape; });
  if (known != last_words_.end()) {
    *known = words;
    return;
  }
  last_words_.emplace_back(words);
  if (last_words_.size() > kLastWords) last_words_.pop_front();
}

// It may hold anything: the plugin's own text, or a stranger's that it passes on.
void ErrorRelay::write_line(std::string_view line) const {
  const std::string whole = printable(line) + "\n";
  write_fully(to_, whole.data(), whole.size());
}

}  // namespace hawser::isolate
