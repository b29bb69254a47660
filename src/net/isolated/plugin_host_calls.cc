// What the process of a plugin does for each call of its user.
#include <fmt/core.h>

#include "base/log.h"
#include "net/isolated/last_words.h"
#include "net/isolated/plugin_host.h"

namespace hawser::isolate {
namespace {

Error no_such(const char* what, std::uint32_t number) {
  return Error(Code::protocol, fmt::format("a plugin's process has no {} {}", what, number));
}

}  // namespace

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
    HAWSER_ASSIGN(options.gpu, gpu_of(settings.gpu));
    gpu_ = options.gpu;
  }
  options.wanted_chunk_bytes = settings.wanted_chunk_bytes;
  options.peer = settings.peer;
  if (before_init_) options.before_init = before_init_(options);
  HAWSER_ASSIGN(std::unique_ptr<Net> net, load_first_plugin(settings.candidates, options));
  leave_last_words_before_others();
  net_ = std::move(net);
  open_.store(true);
  text = join_texts({net_->name(), net_->description()});
  Reply reply;
  reply.devices = static_cast<std::uint32_t>(net_->devices().size());
  return reply;
}

// What is opened stays so: contexts are dear.
Result<std::shared_ptr<Gpu>> PluginHost::gpu_of(int ordinal) {
  if (ordinal < 0) return gpu_;
  const std::lock_guard lock(gpus_mutex_);
  std::shared_ptr<Gpu>& gpu = gpus_[ordinal];
  if (gpu == nullptr) {
    HAWSER_ASSIGN(std::shared_ptr<const CudaDriver> driver, CudaDriver::load());
    HAWSER_ASSIGN(gpu, Gpu::open(std::move(driver), ordinal));
  }
  return gpu;
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
  HAWSER_ASSIGN(const std::shared_ptr<Gpu> gpu, gpu_of(request.gpu));
  HAWSER_ASSIGN(std::unique_ptr<Listener> listener, net_->listen({request.device, gpu}));
  HAWSER_ASSIGN(const std::shared_ptr<Making> making, add_making(request.object));
  Reply reply;
  reply.handle = listener->handle();
  making->listener = std::move(listener);
  return reply;
}

Result<DriverParts> PluginHost::parts_of(Job& job, bool sends) {
  const HostCall& request = job.request;
  if (job.descriptors.size() != 2) return Error(Code::protocol, "a comm without its memory");
  DriverParts parts;
  HAWSER_ASSIGN(parts.memory,
                CommMemory::open(std::move(job.descriptors[0]), request.slots, request.slot_bytes));
  parts.memory->memory().close_fd();
  parts.bell.emplace(EventFd(std::move(job.descriptors[1])), sends);
  const auto& devices = net_->devices();
  if (request.device < 0 || static_cast<std::size_t>(request.device) >= devices.size())
    return Error(Code::protocol, fmt::format("no device {}", request.device));
  parts.capabilities = devices[static_cast<std::size_t>(request.device)].capabilities;
  HAWSER_ASSIGN(parts.gpu, gpu_of(request.gpu));
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
  const Status started = driver->start();
  if (!started.ok()) {
    driver->close();
    return started.error();
  }
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
  HAWSER_ASSIGN(const std::shared_ptr<Gpu> gpu, gpu_of(job.request.gpu));
  HAWSER_ASSIGN(const std::unique_ptr<Connector> connector,
                net_->connect({job.request.device, gpu}, job.request.handle));
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
