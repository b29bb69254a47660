#include "net/isolated/plugin_process.h"

#include <fmt/core.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "net/isolated/ending.h"

namespace hawser::isolate {
namespace {

constexpr int kTickMs = 100;  // between looks for hangs, while there is anything that may hang
constexpr Milliseconds kDying{2'000};  // from the first sign of an end to it
constexpr Milliseconds kTerminating{1'000};
constexpr Milliseconds kClosing{500};  // after the socket was closed

bool is_data_call(const std::string& entry) {
  return entry == "isend" || entry == "irecv" || entry == "test" || entry == "irecvConsumed" ||
         entry == "iflush";
}

std::string names_of(const Settings& settings) {
  std::string names;
  for (const PluginChoice& choice : settings.candidates)
    names += (names.empty() ? "" : ", ") + choice.path_or_name;
  return fmt::format("'{}'", names);
}

void note_thread(HostCall& request) {
  pthread_getname_np(pthread_self(), request.thread_name.data(), request.thread_name.size());
  request.thread_name.back() = '\0';
  const std::string label = current_call_label();
  std::memcpy(request.label.data(), label.data(), std::min(label.size(), request.label.size() - 1));
}

}  // namespace

Result<std::shared_ptr<PluginProcess>> PluginProcess::start(const ProcessOptions& options,
                                                            const Settings& settings) {
  HAWSER_ASSIGN(std::shared_ptr<ControlMemory> control, ControlMemory::create());
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return system_error(errno, "a socket to a plugin's process");
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  HAWSER_ASSIGN(EventFd bell, EventFd::make());
  HAWSER_ASSIGN(std::unique_ptr<ErrorRelay> errors, ErrorRelay::create(STDERR_FILENO));
  HAWSER_ASSIGN(Child child, Child::start(options.program, theirs.get(), errors->writer()));
  errors->close_writer();
  log_debug("plugin {} is in process {} ({})", names_of(settings), child.pid(), options.program);
  std::shared_ptr<PluginProcess> process(
      new PluginProcess(options, std::move(ours), std::move(bell), std::move(child),
                        std::move(errors), control, names_of(settings)));
  HAWSER_TRY(process->start_watcher());
  HostCall request;
  request.kind = HostCallKind::open;
  const int descriptor = control->memory().fd();
  HAWSER_ASSIGN(process->open_call_,
                process->send(request, to_text(settings), std::span(&descriptor, 1)));
  control->memory().close_fd();
  return process;
}

PluginProcess::PluginProcess(const ProcessOptions& options, UniqueFd socket, EventFd bell,
                             Child child, std::unique_ptr<ErrorRelay> errors,
                             std::shared_ptr<ControlMemory> control, std::string name)
    : options_(options),
      socket_(std::move(socket)),
      bell_(std::move(bell)),
      child_(std::move(child)),
      errors_(std::move(errors)),
      control_(std::move(control)),
      name_(std::move(name)) {}

// Without one nobody takes an answer: whatever asks from now on hears why.
Status PluginProcess::start_watcher() {
  auto watcher = Thread::start("hw-isolate", [this] { watch(); });
  if (watcher.ok())
    watcher_ = std::move(*watcher);
  else
    fail_all(watcher.error());
  return watcher.ok() ? Status() : watcher.error();
}

PluginProcess::~PluginProcess() {
  shut_down();
  stopping_.store(true);
  bell_.notify();
  watcher_.join();
  ::shutdown(socket_.get(), SHUT_RDWR);  // which it takes for the end of its user
  await_end_of_child();
  errors_->finish();
}

void PluginProcess::await_end_of_child() {
  if (child_.wait(kClosing)) return;
  child_.kill(SIGTERM);
  child_.kill(SIGCONT);  // a stopped process hears nothing else
  if (child_.wait(kTerminating)) return;
  child_.kill(SIGKILL);
}

void PluginProcess::shut_down() {
  if (failure()) return;
  HostCall request;
  request.kind = HostCallKind::shut_down;
  const auto call = begin(request, {});
  if (!call.ok()) return;
  const auto closed = wait(*call, options_.close_bound);
  if (!closed.ok() && !failure())
    log_warning("closing the process of a plugin: {}: it is ended", closed.error().message());
}

std::optional<Error> PluginProcess::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void PluginProcess::set_name(const std::string& name) {
  const std::lock_guard lock(mutex_);
  name_ = name;
}

Result<Answer> PluginProcess::opened() {
  return wait(open_call_, options_.open_bound);
}

Result<Answer> PluginProcess::ask(const HostCall& request) {
  HAWSER_ASSIGN(const std::uint64_t call, begin(request, {}));
  return wait(call, options_.call_bound);
}

Result<std::uint64_t> PluginProcess::begin(const HostCall& request,
                                           std::span<const int> descriptors) {
  return send(request, "", descriptors);
}

Result<std::uint64_t> PluginProcess::send(HostCall request, const std::string& text,
                                          std::span<const int> descriptors) {
  note_thread(request);
  {
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    request.call = next_call_++;
    const bool opens = request.kind == HostCallKind::open;
    pending_.emplace(request.call,
                     Pending{Clock::system().now(),
                             opens ? options_.open_bound : options_.call_bound, std::nullopt});
  }
  bell_.notify();  // the watcher may sleep without a bound
  const Status sent = send_message(socket_.get(), request, text, descriptors, false);
  if (sent.ok()) return request.call;
  // It ends, and the watcher is about to say how: better than that a socket is closed.
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kDying, [this] { return failure_.has_value(); });
  pending_.erase(request.call);
  return failure_ ? *failure_ : sent.error();
}

void PluginProcess::tell(const HostCall& request) {
  HostCall named = request;
  note_thread(named);
  if (failure()) return;
  const Status sent = send_message(socket_.get(), named, "", {}, false);
  if (!sent.ok()) log_debug("{}", sent.error().message());
}

Result<Answer> PluginProcess::wait(std::uint64_t call, Milliseconds bound) {
  std::unique_lock lock(mutex_);
  const auto pending = pending_.find(call);
  if (pending == pending_.end()) return Error(Code::internal, "waiting for a call that is none");
  changed_.wait_for(lock, bound, [&] { return pending->second.result.has_value(); });
  std::optional<Result<Answer>> result = std::move(pending->second.result);
  pending_.erase(pending);
  lock.unlock();
  return result ? std::move(*result) : Result<Answer>(no_answer(call, bound));
}

Error PluginProcess::no_answer(std::uint64_t call, Milliseconds bound) {
  if (const auto stuck = control_->call_that_serves(call)) return describe_stuck(*stuck);
  const std::lock_guard lock(mutex_);
  return Error(Code::timeout, fmt::format("the process of plugin {} has not answered for {:.1f} s",
                                          name_, static_cast<double>(bound.count()) / 1000));
}

std::optional<Result<Answer>> PluginProcess::answer(std::uint64_t call) {
  const std::lock_guard lock(mutex_);
  const auto pending = pending_.find(call);
  if (pending == pending_.end())
    return Result<Answer>(Error(Code::internal, "asking for an answer that was given"));
  if (!pending->second.result) return std::nullopt;
  std::optional<Result<Answer>> result = std::move(pending->second.result);
  pending_.erase(pending);
  return result;
}

void PluginProcess::forget(std::uint64_t call) {
  const std::lock_guard lock(mutex_);
  pending_.erase(call);
}

void PluginProcess::add(Watched& watched) {
  const std::lock_guard lock(mutex_);
  watched_.push_back(&watched);
  if (failure_) watched.fail(*failure_);
}

void PluginProcess::remove(Watched& watched) {
  const std::lock_guard lock(mutex_);
  std::erase(watched_, &watched);
}

void PluginProcess::watch() {
  while (!stopping_.load()) {
    // The socket alone does not do: a child of the plugin's own may hold it open.
    pollfd watched[] = {{socket_.get(), POLLIN, 0},
                        {bell_.fd(), POLLIN, 0},
                        {child_.pidfd(), POLLIN, 0},
                        {errors_->fd(), POLLIN, 0}};
    ::poll(watched, std::size(watched), tick_ms());
    if (watched[1].revents != 0) bell_.clear();
    if (watched[3].revents != 0) errors_->pass_on();
    const bool answers = watched[0].revents != 0;
    const bool lost = answers ? !take_reply() : watched[2].revents != 0;
    if (lost || is_ending()) return end();
    look_for_hangs();
  }
}

int PluginProcess::tick_ms() {
  const std::lock_guard lock(mutex_);
  return pending_.empty() && watched_.empty() ? -1 : kTickMs;
}

// False: the other side has closed, or says what it must not.
bool PluginProcess::take_reply() {
  const auto incoming = receive_bytes(socket_.get());
  if (!incoming.ok() || incoming->bytes.empty()) return false;
  std::string text;
  const auto reply = read_head<Reply>(*incoming, text);
  if (!reply.ok()) {
    log_error("{}", reply.error().message());
    return false;
  }
  const std::lock_guard lock(mutex_);
  const auto pending = pending_.find(reply->call);
  if (pending == pending_.end()) return true;  // nobody waits any more
  pending->second.result = reply->failed != 0 ? Result<Answer>(to_error(*reply, text))
                                              : Result<Answer>(Answer{*reply, std::move(text)});
  changed_.notify_all();
  return true;
}

// It has written down that it ends; a core file, or an exit handler, may keep it from doing so.
bool PluginProcess::is_ending() {
  const Ending how = control_->fields().ending.load(std::memory_order_acquire);
  if (how == Ending::none) return false;
  const TimePoint now = Clock::system().now();
  if (!ending_since_) ending_since_ = now;
  return how == Ending::signal || now - *ending_since_ > kDying;
}

void PluginProcess::look_for_hangs() {
  const auto calls = control_->journal().current_calls();
  const TimePoint now = Clock::system().now();
  const std::lock_guard lock(mutex_);
  for (const CurrentCall& call : calls) {
    if (!is_data_call(call.entry) || call.milliseconds < options_.data_call_bound.count()) continue;
    for (Watched* const watched : watched_)
      if (watched->driver_thread() == call.thread) watched->fail(describe_stuck(call));
  }
  for (auto& [number, pending] : pending_) {
    if (pending.result || now - pending.since < pending.bound) continue;
    const auto stuck = control_->call_that_serves(number);
    if (!stuck || Milliseconds(stuck->milliseconds) < pending.bound) continue;
    pending.result = Result<Answer>(describe_stuck(*stuck));
    changed_.notify_all();
  }
}

// Whoever has died need not be gone yet: a core file may be written for long.
void PluginProcess::end() {
  const bool noted = control_->fields().ending.load(std::memory_order_acquire) != Ending::none;
  auto how = child_.wait(noted ? Milliseconds(0) : kDying);
  if (!how && !noted) {
    child_.kill(SIGKILL);
    how = child_.wait(kTerminating);
  }
  std::string name;
  {
    const std::lock_guard lock(mutex_);
    name = name_;
  }
  errors_->finish();
  fail_all(describe_ending(*control_, how.value_or(ChildEnd{}), name, errors_->last_words()));
}

void PluginProcess::fail_all(const Error& error) {
  const std::lock_guard lock(mutex_);
  failure_ = error;
  for (auto& [number, pending] : pending_)
    if (!pending.result) pending.result = Result<Answer>(error);
  for (Watched* const watched : watched_) watched->fail(error);
  changed_.notify_all();
}

}  // namespace hawser::isolate
