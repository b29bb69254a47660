#include "net/isolated/plugin_host.h"

#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/log.h"
#include "base/thread.h"
#include "net/hosted/exit_explainer.h"
#include "net/isolated/last_words.h"

namespace hawser::isolate {
namespace {

constexpr unsigned long kTimerSlackNs = 1000;  // short naps are short
constexpr int kLookMs = 500;  // at whose child this is, where the kernel cannot tell of a death

const char* level_text(LogLevel level) {
  constexpr const char* kNames[] = {"error", "warning", "info", "debug"};
  return kNames[static_cast<int>(level)];
}

void log_as_plugin_process() {
  set_log_sink([](LogLevel level, std::string_view line) {
    std::fprintf(stderr, "hawser: plugin process %d: %s: %.*s\n", static_cast<int>(::getpid()),
                 level_text(level), static_cast<int>(line.size()), line.data());
  });
}

// What is typed at a terminal is for the user's process; this one goes when that does.
void leave_signals_to_the_user() {
  for (const int signal : {SIGINT, SIGQUIT, SIGHUP}) ::signal(signal, SIG_IGN);
}

// Readable when the process has died; -1 where the kernel has none.
int watch_process(pid_t process) {
  return static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
}

bool ends_in_zero(const HostCall& request) {
  return request.thread_name.back() == '\0' && request.label.back() == '\0';
}

}  // namespace

int run_plugin_host(const BeforeInit& before_init) {
  leave_signals_to_the_user();
  ::prctl(PR_SET_TIMERSLACK, kTimerSlackNs);
  auto first = receive_bytes(kHostSocket);
  if (!first.ok() || first->bytes.empty() || first->descriptors.size() != 1) {
    std::fputs("hawser-plugin-host: started by hawser for --isolate, not by hand\n", stderr);
    return 2;
  }
  std::string text;
  const auto request = read_head<HostCall>(*first, text);
  auto control = ControlMemory::open(std::move(first->descriptors.front()));
  if (!request.ok() || !control.ok() || request->kind != HostCallKind::open ||
      !ends_in_zero(*request))
    return 2;
  leave_last_words((*control)->fields());
  exit_explainer::set_isolated();
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // a pipe: what is printed last must come out
  log_as_plugin_process();
  auto* const host = new PluginHost(kHostSocket, *control, before_init);  // threads outlive main()
  host->serve(*request, std::move(text), {});
  host->loop();
  ::_exit(0);
}

void PluginHost::loop() {
  const pid_t user = ::getppid();
  pollfd watched[] = {{socket_, POLLIN, 0}, {watch_process(user), POLLIN, 0}};
  while (::getppid() == user) {
    ::poll(watched, 2, watched[1].fd >= 0 ? -1 : kLookMs);
    if (watched[1].revents != 0) return;
    if (watched[0].revents == 0) continue;
    auto incoming = receive_bytes(socket_);
    if (!incoming.ok() || incoming->bytes.empty()) return;
    std::string text;
    const auto request = read_head<HostCall>(*incoming, text);
    if (!request.ok() || !ends_in_zero(*request)) {
      log_error("{}", request.ok() ? "a request with endless names" : request.error().message());
      return;
    }
    serve(*request, std::move(text), std::move(incoming->descriptors));
  }
}

void PluginHost::serve(HostCall request, std::string text, std::vector<UniqueFd> descriptors) {
  begin_serving(request);
  const std::uint64_t call = request.call;
  const auto job = std::make_shared<Job>(Job{request, std::move(text), std::move(descriptors)});
  if (pool_.run(call, [this, job] { run(*job); })) return;
  end_serving(request);
  const Error full(Code::system, "a plugin's process has no thread for a call");
  std::string message;
  Reply reply = error_reply(full, message);
  reply.call = call;
  static_cast<void>(send_message(socket_, reply, message, {}, true).ok());
}

void PluginHost::begin_serving(const HostCall& request) {
  if (request.kind == HostCallKind::shut_down) return;
  const std::lock_guard lock(mutex_);
  ++serving_;
}

void PluginHost::end_serving(const HostCall& request) {
  if (request.kind == HostCallKind::shut_down) return;
  const std::lock_guard lock(mutex_);
  --serving_;
  served_.notify_all();
}

void PluginHost::run(Job& job) {
  const HostCall& request = job.request;
  if (request.thread_name.front() != '\0') Thread::name_this(request.thread_name.data());
  const CallLabel label(request.label.data());
  std::string text;
  Result<Reply> answered = answer(job, text);
  Reply reply = answered.ok() ? *answered : error_reply(answered.error(), text);
  end_serving(request);
  if (request.call == 0) return;
  reply.call = request.call;
  const Status sent = send_message(socket_, reply, text, {}, true);
  if (!sent.ok()) log_debug("answering: {}", sent.error().message());
}

Result<Reply> PluginHost::answer(Job& job, std::string& text) {
  const HostCall& request = job.request;
  if (request.kind == HostCallKind::open) return open(job, text);
  if (request.kind == HostCallKind::shut_down) return shut_down();
  HAWSER_TRY(check_open());
  switch (request.kind) {
    case HostCallKind::device:
      return device(request, text);
    case HostCallKind::listen:
      return listen(request);
    case HostCallKind::accept:
      return accept(job);
    case HostCallKind::connect:
      return connect(job);
    case HostCallKind::register_slots:
      return register_slots(request);
    case HostCallKind::close_listener:
    case HostCallKind::close_connector:
      close_making(request);
      return Reply{};
    case HostCallKind::close_comm:
      close_comm(request.comm);
      return Reply{};
    case HostCallKind::open:
    case HostCallKind::shut_down:
      break;
  }
  return Error(Code::protocol, "a plugin's process does not know this request");
}

}  // namespace hawser::isolate
