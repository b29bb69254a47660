#include "isolate/plugin_host.h"

#include <fmt/core.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/log.h"
#include "isolate/last_words.h"

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

Error no_such(const char* what, std::uint32_t number) {
  return Error(Code::protocol, fmt::format("a plugin's process has no {} {}", what, number));
}

}  // namespace

int run_plugin_host() {
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
  log_as_plugin_process();
  auto* const host = new PluginHost(kHostSocket, *control);  // threads outlive main()
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
  if (request.thread_name.front() != '\0')
    pthread_setname_np(pthread_self(), request.thread_name.data());
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

Status PluginHost::check_open() const {
  return open_.load() ? Status() : Error(Code::protocol, "the plugin is not open");
}

Result<Reply> PluginHost::open(const Job& job, std::string& text) {
  HAWSER_ASSIGN(const Settings settings, to_settings(job.text));
  set_log_level(settings.log_level);
  PluginOptions options;
  options.chunk_bytes = settings.chunk_bytes;
  options.max_version = settings.max_version;
  options.journal = std::shared_ptr<CallJournal>(control_, &control_->journal());
  if (settings.gpu >= 0) {
    HAWSER_ASSIGN(std::shared_ptr<const CudaDriver> driver, CudaDriver::load());
    HAWSER_ASSIGN(gpu_, Gpu::open(std::move(driver), settings.gpu));
    options.gpu = gpu_;
  }
  HAWSER_ASSIGN(std::unique_ptr<Net> net, load_first_plugin(settings.candidates, options));
  leave_last_words_before_others();
  net_ = std::move(net);
  open_.store(true);
  text = join_texts({net_->name(), net_->description()});
  Reply reply;
  reply.devices = static_cast<std::uint32_t>(net_->devices().size());
  return reply;
}

Result<Reply> PluginHost::device(const HostCall& request, std::string& text) const {
  const auto& devices = net_->devices();
  const auto index = static_cast<std::size_t>(request.device);
  if (request.device < 0 || index >= devices.size())
    return Error(Code::invalid_argument, fmt::format("no device {}", request.device));
  return device_reply(devices[index], text);
}

Result<std::shared_ptr<PluginHost::Making>> PluginHost::add_making(std::uint32_t object) {
  auto making = std::make_shared<Making>();
  const std::lock_guard lock(mutex_);
  if (!makings_.emplace(object, making).second)
    return Error(Code::protocol, fmt::format("number {} is taken", object));
  return making;
}

Result<Reply> PluginHost::listen(const HostCall& request) {
  HAWSER_ASSIGN(std::unique_ptr<Listener> listener, net_->listen(request.device));
  HAWSER_ASSIGN(const std::shared_ptr<Making> making, add_making(request.object));
  Reply reply;
  reply.handle = listener->handle();
  making->listener = std::move(listener);
  return reply;
}

Result<DriverParts> PluginHost::parts_of(Job& job, bool sends) const {
  const HostCall& request = job.request;
  if (job.descriptors.size() != 2) return Error(Code::protocol, "a comm without its memory");
  DriverParts parts;
  HAWSER_ASSIGN(parts.memory,
                CommMemory::open(std::move(job.descriptors[0]), request.slots, request.slot_bytes));
  parts.memory->memory().close_fd();
  parts.bell.emplace(std::move(job.descriptors[1]), sends);
  const auto& devices = net_->devices();
  if (request.device < 0 || static_cast<std::size_t>(request.device) >= devices.size())
    return Error(Code::protocol, fmt::format("no device {}", request.device));
  parts.capabilities = devices[static_cast<std::size_t>(request.device)].capabilities;
  parts.gpu = gpu_;
  parts.thread_name = request.thread_name.data();
  parts.label = request.label.data();
  return parts;
}

template <class CommKind, class Try>
Result<Reply> PluginHost::make_comm(Job& job, Making& making, bool sends, Try attempt) {
  HAWSER_ASSIGN(DriverParts parts, parts_of(job, sends));
  std::unique_ptr<CommKind> comm;
  for (Backoff backoff; !making.cancelled.load(); backoff.idle()) {
    HAWSER_ASSIGN(comm, attempt());
    if (comm != nullptr) break;
  }
  if (comm == nullptr) return Error(Code::cancelled, "nobody waits for the connection any more");
  auto driver = make_driver(std::move(comm), std::move(parts));
  driver->start();
  HAWSER_TRY(keep(job.request.comm, making, std::move(driver)));
  return Reply{};
}

// What was given up meanwhile is closed at once.
Status PluginHost::keep(std::uint32_t comm, const Making& making,
                        std::shared_ptr<CommDriver> driver) {
  {
    const std::lock_guard lock(mutex_);
    if (!making.cancelled.load() && comms_.emplace(comm, driver).second) return {};
  }
  driver->close();
  return Error(Code::cancelled, "nobody waits for the connection any more");
}

Result<Reply> PluginHost::accept(Job& job) {
  std::shared_ptr<Making> making;
  {
    const std::lock_guard lock(mutex_);
    const auto found = makings_.find(job.request.object);
    if (found == makings_.end()) return no_such("listener", job.request.object);
    making = found->second;
  }
  return make_comm<ReceiveComm>(job, *making, false,
                                [&] { return making->listener->try_accept(); });
}

Result<Reply> PluginHost::connect(Job& job) {
  HAWSER_ASSIGN(const std::shared_ptr<Making> making, add_making(job.request.object));
  HAWSER_ASSIGN(const std::unique_ptr<Connector> connector,
                net_->connect(job.request.device, job.request.handle));
  return make_comm<SendComm>(job, *making, true, [&] { return connector->try_connect(); });
}

Result<Reply> PluginHost::register_slots(const HostCall& request) {
  std::shared_ptr<CommDriver> driver;
  {
    const std::lock_guard lock(mutex_);
    const auto found = comms_.find(request.comm);
    if (found == comms_.end()) return no_such("comm", request.comm);
    driver = found->second;
  }
  HAWSER_TRY(driver->register_slots());
  return Reply{};
}

// `comm` is what an accept or connect was to make, where nobody has taken it.
void PluginHost::close_making(const HostCall& request) {
  std::shared_ptr<Making> making;
  {
    const std::lock_guard lock(mutex_);
    const auto found = makings_.find(request.object);
    if (found == makings_.end()) return;
    making = std::move(found->second);
    makings_.erase(found);
    making->cancelled.store(true);
  }
  if (request.comm != 0) close_comm(request.comm);
}

void PluginHost::close_comm(std::uint32_t comm) {
  std::shared_ptr<CommDriver> driver;
  {
    const std::lock_guard lock(mutex_);
    const auto found = comms_.find(comm);
    if (found == comms_.end()) return;
    driver = std::move(found->second);
    comms_.erase(found);
  }
  driver->close();
}

// As long as anything else takes: the user has a bound, and a way to end this process.
Result<Reply> PluginHost::shut_down() {
  std::map<std::uint32_t, std::shared_ptr<Making>> makings;
  std::map<std::uint32_t, std::shared_ptr<CommDriver>> comms;
  {
    std::unique_lock lock(mutex_);
    for (auto& [number, making] : makings_) making->cancelled.store(true);
    served_.wait(lock, [this] { return serving_ == 0; });
    makings.swap(makings_);
    comms.swap(comms_);
  }
  for (auto& [number, driver] : comms) driver->close();
  makings.clear();
  net_.reset();
  return Reply{};
}

}  // namespace hawser::isolate
