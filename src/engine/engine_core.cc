#include "engine/engine_core.h"

#include <fmt/core.h>

#include <algorithm>
#include <future>
#include <set>
#include <utility>

#include "base/cpus.h"
#include "base/log.h"
#include "base/parameters.h"
#include "engine/acceptor_core.h"
#include "engine/meeting.h"
#include "machine/numa.h"
#include "net/hosted/hosting.h"
#include "setup/tcpx_gather.h"

namespace hawser::engine {
namespace {

constexpr std::size_t kDefaultChunkBytes = 512 * 1024;
// A copy to or from a GPU costs microseconds, however small it is (docs/performance.md).
constexpr std::size_t kDefaultChunkBytesOfGpu = 1024 * 1024;
constexpr std::size_t kFewCpus = 4;
constexpr std::size_t kMostWorkers = 8;
// Longer than a small transfer with a GPU at both ends takes there and back: or who waits for it
// would always be asleep when it comes.
constexpr std::chrono::microseconds kSpin{100};
// For threads that were called back, however long the links' end has taken.
constexpr Milliseconds kLastPatience{1000};
// For a thread that drives channels to answer; and where one did not, for what waits for it.
constexpr Milliseconds kSilentWorker{100};
// A NIC's queues, and the kernel's work behind them, are spread by connection.
constexpr int kChannelsOfNic = 2;
// A plugin whose device unpacks polls in a thread of its own for each, and its bounce pool holds
// what all have in flight (docs/tcpx.md).
constexpr int kMostChannelsOfUnpacking = 4;

Status check(const char* what, std::int64_t value, std::int64_t min, std::int64_t max) {
  if (value >= min && value <= max) return {};
  return Error(Code::invalid_argument,
               fmt::format("EngineOptions::{} is {}, of {} to {}", what, value, min, max));
}

Status check(const EngineOptions& options) {
  HAWSER_TRY(check("threads", options.threads, 0, 64));
  HAWSER_TRY(check("chunk_bytes", static_cast<std::int64_t>(options.chunk_bytes), 0,
                   wire::kMaxChunkBytes));
  HAWSER_TRY(check("stall_ms", options.stall_ms, 10, 600'000));
  HAWSER_TRY(check("peer_silence_ms", options.peer_silence_ms, 100, 3'600'000));
  HAWSER_TRY(check("retry_ms", options.retry_ms, 1, 600'000));
  return {};
}

Error engine_ended() {
  return Error(Code::cancelled, "the engine was destroyed");
}

bool has_real_devmem(const Net& net) {
  return std::ranges::any_of(net.devices(),
                             [](const NetDevice& nic) { return nic.devmem == Devmem::real; });
}

bool unpacks(const Net& net) {
  return std::ranges::any_of(net.devices(),
                             [](const NetDevice& nic) { return nic.capabilities.needs_unpack; });
}

bool is_builtin(const std::string& plugin) {
  return plugin == "builtin" || plugin_candidates(plugin).empty();
}

// A channel has one socket each way: the engine has as many channels as it wants.
Result<Transport> open_net(const EngineOptions& options, const std::shared_ptr<Gpu>& gpu) {
  TransportChoice choice;
  choice.plugin = options.plugin;
  choice.chunk_bytes = static_cast<std::size_t>(options.chunk_bytes);
  choice.sockets = is_builtin(options.plugin) ? 1 : 0;
  choice.isolate = options.isolate;
  return open_transport(choice, gpu, std::make_shared<CallJournal>());
}

}  // namespace

Result<std::shared_ptr<EngineCore>> EngineCore::create(const EngineOptions& options) {
  HAWSER_TRY(check(options));
  auto driver = CudaDriver::load();
  std::shared_ptr<Gpu> gpu;  // a plugin may want a current device
  if (driver.ok() && !is_builtin(options.plugin)) {
    auto first = Gpu::open(*driver, 0);
    if (first.ok()) gpu = *first;
  }
  HAWSER_ASSIGN(Transport transport, open_net(options, gpu));
  return begin(options, std::move(transport), driver.ok() ? *driver : nullptr, std::move(gpu));
}

Result<std::unique_ptr<Engine>> EngineCore::over(const EngineOptions& options,
                                                 Transport transport) {
  HAWSER_TRY(check(options));
  const auto driver = CudaDriver::load();
  HAWSER_ASSIGN(std::shared_ptr<EngineCore> core,
                begin(options, std::move(transport), driver.ok() ? *driver : nullptr, nullptr));
  return std::unique_ptr<Engine>(new Engine(std::move(core)));
}

Result<std::shared_ptr<EngineCore>> EngineCore::begin(const EngineOptions& options,
                                                      Transport transport,
                                                      std::shared_ptr<const CudaDriver> driver,
                                                      std::shared_ptr<Gpu> gpu) {
  std::shared_ptr<EngineCore> engine(new EngineCore(options, std::move(transport)));
  engine->driver_ = std::move(driver);
  if (gpu != nullptr) engine->gpus_.emplace(0, std::move(gpu));
  HAWSER_TRY(engine->start());
  return engine;
}

Status EngineCore::start() {
  HAWSER_ASSIGN(nics_, NicChoice::create(*net(), driver_.get(), options_));
  HAWSER_ASSIGN(key_, make_key());
  chunk_bytes_ = options_.chunk_bytes != 0 ? static_cast<std::size_t>(options_.chunk_bytes)
                                           : default_chunk_bytes(driver_ != nullptr);
  for (const int device : nics_.all()) {
    const std::size_t most =
        net()->devices()[static_cast<std::size_t>(device)].capabilities.max_request_bytes;
    if (most < wire::kFrameBytes)
      return Error(Code::unavailable,
                   fmt::format("{} takes {} bytes at a time, and a link needs {}",
                               net()->description(), most, wire::kFrameBytes));
    chunk_bytes_ = std::min(chunk_bytes_, most);
    if (transport_.leaves_data_out(device))
      return Error(Code::invalid_argument,
                   "HAWSER_UNPACK=none leaves the data out, which an engine may not: unset it, or "
                   "measure with hawser perf --over net");
  }
  HAWSER_TRY(start_workers());
  HAWSER_ASSIGN(maker_, ChannelMaker::start());
  HAWSER_ASSIGN(reactor_, Reactor::start());
  return {};
}

// Those of a NUMA node for its NICs; as many in all as half the CPUs.
Status EngineCore::start_workers() {
  const std::size_t cpus = allowed_cpus().size();
  std::set<int> nodes;
  for (const int device : nics_.all())
    nodes.insert(net()->devices()[static_cast<std::size_t>(device)].numa_node);
  const std::size_t wanted = options_.threads != 0 ? static_cast<std::size_t>(options_.threads)
                             : cpus < kFewCpus     ? 1
                                                   : std::min(cpus / 2, kMostWorkers);
  const std::size_t each = std::max<std::size_t>(wanted / nodes.size(), 1);
  int number = 0;
  for (const int node : nodes) {
    WorkerOptions options;
    options.spin = cpus < kFewCpus ? std::chrono::microseconds(0) : kSpin;
    if (node >= 0 && nodes.size() > 1) {
      auto near = node_cpus(parameters::kSysfsRoot.text_or_default(), node);
      if (near.ok()) options.cpus = *std::move(near);
    }
    NodeWorkers workers{node, {}};
    for (std::size_t i = 0; i < each; ++i) {
      options.name = fmt::format("hw-engine{}", number++);
      HAWSER_ASSIGN(std::unique_ptr<Worker> worker, Worker::start(options));
      workers.workers.push_back(std::move(worker));
    }
    workers_.push_back(std::move(workers));
  }
  return {};
}

EngineCore::~EngineCore() {
  static_cast<void>(shut().ok());  // it was said
}

Status EngineCore::shut(Milliseconds patience) {
  std::vector<std::shared_ptr<LinkCore>> links;
  {
    const std::unique_lock ending(running_);
    if (std::exchange(shut_, true)) return {};
    if (reactor_ != nullptr) links = reactor_->links();
  }
  std::vector<std::weak_ptr<AcceptorCore>> acceptors;
  {
    const std::lock_guard lock(mutex_);
    acceptors.swap(acceptors_);
  }
  for (const auto& known : acceptors)
    if (const auto acceptor = known.lock()) acceptor->close();  // somebody may wait there
  for (const auto& link : links) link->close(engine_ended(), "its engine was destroyed");
  const Deadline deadline = Deadline::after(patience);
  for (const auto& link : links)
    if (!link->wait_ended(deadline))
      log_error("a link to {} did not end within {} ms: a transport's call hangs", link->peer(),
                patience.count());
  reactor_.reset();
  return end_threads(deadline);
}

// Those that come back are joined. One that does not is left behind, and keeps all of this.
Status EngineCore::end_threads(const Deadline& deadline) {
  const std::shared_ptr<void> self = weak_from_this().lock();
  if (self == nullptr || maker_ == nullptr) {  // it was never in use: no call can hang
    maker_.reset();
    for (NodeWorkers& node : workers_) node.workers.clear();
    return {};
  }
  std::vector<Worker*> workers;
  for (const NodeWorkers& node : workers_)
    for (const auto& worker : node.workers) workers.push_back(worker.get());
  maker_->call_back();
  for (Worker* const worker : workers) worker->call_back();
  const Deadline last =
      deadline.remaining() > kLastPatience ? deadline : Deadline::after(kLastPatience);
  const bool made = maker_->join_within(last);
  std::erase_if(workers, [&](Worker* worker) { return worker->join_within(last); });
  if (made && workers.empty()) {
    maker_.reset();
    for (NodeWorkers& node : workers_) node.workers.clear();
    return {};
  }
  const Error why(Code::timeout,
                  fmt::format("ending an engine of {}: {}: the thread is left behind, and what it "
                              "may touch, registered memory included, must stay",
                              net()->name(), stuck_text(*transport_.journal)));
  log_error("{}", why.message());
  if (!made) maker_->abandon(self);
  for (Worker* const worker : workers) worker->abandon(self);
  return why;
}

Status EngineCore::running() const {
  const std::shared_lock running(running_);
  return shut_ ? Status(engine_ended()) : Status();
}

std::vector<std::shared_ptr<LinkCore>> EngineCore::links() const {
  const std::shared_lock running(running_);
  return shut_ ? std::vector<std::shared_ptr<LinkCore>>() : reactor_->links();
}

Worker& EngineCore::worker_for(int device) {
  const int node = net()->devices()[static_cast<std::size_t>(device)].numa_node;
  auto at = std::ranges::find(workers_, node, &NodeWorkers::numa_node);
  if (at == workers_.end()) at = workers_.begin();
  const std::lock_guard lock(mutex_);
  const auto least =
      std::ranges::min_element(at->workers, {}, [](const auto& worker) { return worker->load(); });
  (*least)->reserve();
  return **least;
}

std::size_t default_chunk_bytes(bool cuda_driver) {
  return cuda_driver ? kDefaultChunkBytesOfGpu : kDefaultChunkBytes;
}

int default_channels(const Net& net, std::size_t pairs, bool loopback) {
  const std::size_t cpus = allowed_cpus().size();
  const std::size_t in_all = cpus < kFewCpus ? 1 : std::min(cpus / 2, kMostWorkers);
  const int each = static_cast<int>((in_all + pairs - 1) / pairs);
  const int wanted = loopback ? each : std::max(each, kChannelsOfNic);
  return unpacks(net) ? std::min(wanted, kMostChannelsOfUnpacking) : wanted;
}

std::string EngineCore::description() const {
  std::string names;
  for (const int device : nics_.all())
    names += (names.empty() ? "" : ", ") + net()->devices()[static_cast<std::size_t>(device)].name;
  const std::string unpack = transport_.unpack_text(nics_.all().front());
  return fmt::format("{} ({}){}", net()->description(), names,
                     unpack == "placed" ? "" : ", unpack " + unpack);
}

// ---- GPUs and regions ----

Result<std::shared_ptr<Gpu>> EngineCore::gpu(int ordinal) {
  const std::lock_guard lock(mutex_);
  if (const auto known = gpus_.find(ordinal); known != gpus_.end()) return known->second;
  if (driver_ == nullptr) return Error(Code::unavailable, "there is no usable CUDA driver");
  HAWSER_ASSIGN(std::shared_ptr<Gpu> opened, Gpu::open(driver_, ordinal));
  gpus_.emplace(ordinal, opened);
  return opened;
}

std::shared_ptr<Gpu> EngineCore::gpu_for_channel(int ordinal, int device) {
  const NetDevice& nic = net()->devices()[static_cast<std::size_t>(device)];
  if (ordinal < 0 && nic.capabilities.comms_of_a_gpu) ordinal = nics_.gpu_near(device);
  if (ordinal >= 0) {
    auto wanted = gpu(ordinal);
    return wanted.ok() ? *wanted : nullptr;
  }
  const std::lock_guard lock(mutex_);
  return gpus_.empty() ? nullptr : gpus_.begin()->second;
}

Result<std::shared_ptr<LocalRegion>> EngineCore::register_memory(void* data, std::uint64_t bytes,
                                                                 Rights rights) {
  if (data == nullptr && bytes > 0)
    return Error(Code::invalid_argument, fmt::format("{} bytes at no address", bytes));
  if (reinterpret_cast<std::uintptr_t>(data) + bytes < bytes)
    return Error(Code::invalid_argument,
                 fmt::format("{} bytes from {} on reach beyond all memory", bytes, data));
  MemoryRange range{data, static_cast<std::size_t>(bytes)};
  std::shared_ptr<Gpu> owner;
  bool pinned = false;
  if (driver_ != nullptr && data != nullptr) {
    pinned = is_pinned_pointer(*driver_, data);
    if (const auto ordinal = gpu_of_pointer(*driver_, data)) {
      HAWSER_ASSIGN(owner, gpu(*ordinal));
      range.kind = MemoryKind::cuda;
      range.gpu = *ordinal;
    }
  }
  HAWSER_ASSIGN(const wire::Key key, make_key());
  auto region = std::make_shared<LocalRegion>(key, range, rights, std::move(owner), pinned);
  region->owner = this;
  region->deregister = [engine = weak_from_this(), weak = std::weak_ptr(region)](
                           InFlight in_flight, int timeout_ms) -> Status {
    const auto self = engine.lock();
    const auto it = weak.lock();
    return self && it ? self->deregister(it, in_flight, timeout_ms) : Status();
  };
  regions_.add(region);
  return region;
}

// Refused from now on, then waited for, then forgotten by every channel. Peers are asked first:
// what one has written half would else be cut off.
Status EngineCore::deregister(const std::shared_ptr<LocalRegion>& region, InFlight in_flight,
                              int timeout_ms) {
  const Milliseconds patience(std::max(timeout_ms, 0));
  const Deadline deadline =
      Deadline::after(has_silent_worker() ? std::min(patience, kSilentWorker) : patience);
  if (in_flight == InFlight::wait) drain(*region, deadline);
  region->close();
  regions_.remove(*region);
  if (in_flight == InFlight::fail)
    for (const auto& link : links())
      link->operations().stop(*region, Error(Code::cancelled, "the region was deregistered"));
  if (region->wait_unused(deadline) && forget(region, deadline)) return {};
  look_for_silent_workers();
  return Error(Code::timeout, fmt::format("the region of {} bytes at {} is still in use after {} "
                                          "ms: wait for its transfers, or fail them",
                                          region->range().bytes, region->range().data, timeout_ms));
}

bool EngineCore::has_silent_worker() const {
  const std::shared_lock running(running_);
  return !shut_ && std::ranges::any_of(workers_, [](const NodeWorkers& node) {
    return std::ranges::any_of(node.workers, [](const auto& worker) { return worker->silent(); });
  });
}

// A plugin's call that hangs in one of them is what regions are still used for, and it will be so
// for the next one, too.
void EngineCore::look_for_silent_workers() {
  const std::shared_lock running(running_);
  if (shut_) return;
  for (const NodeWorkers& node : workers_) {
    for (const auto& worker : node.workers) {
      auto done = std::make_shared<std::promise<void>>();
      auto future = done->get_future();
      worker->run([done](const Worker::Channels&) { done->set_value(); });
      if (future.wait_for(kSilentWorker) != std::future_status::ready) worker->note_silence();
    }
  }
}

void EngineCore::drain(LocalRegion& region, const Deadline& deadline) {
  if (!region.drain() || region.rights() == Rights::none) return;
  std::vector<std::future<void>> peers;
  for (const auto& link : links()) {
    auto done = std::make_shared<std::promise<void>>();
    peers.push_back(done->get_future());
    link->operations().drain(region.key(), [done] { done->set_value(); });
  }
  for (const auto& peer : peers) peer.wait_for(deadline.remaining());
}

// Each worker drops what its channels have of it.
bool EngineCore::forget(const std::shared_ptr<LocalRegion>& region, const Deadline& deadline) {
  const std::shared_lock running(running_);
  if (shut_) return true;  // so they do anyway
  Backoff backoff;
  for (const NodeWorkers& node : workers_) {
    for (const auto& worker : node.workers) {
      while (true) {
        auto done = std::make_shared<std::promise<bool>>();
        auto future = done->get_future();
        worker->run([done, region](const Worker::Channels& channels) {
          bool all = true;
          for (const auto& channel : channels) all = channel->forget(*region) && all;
          done->set_value(all);
        });
        if (future.wait_for(deadline.remaining()) != std::future_status::ready) return false;
        if (future.get()) break;
        if (deadline.expired()) return false;
        backoff.idle();
      }
    }
  }
  return true;
}

// ---- links ----

Result<std::shared_ptr<LinkCore>> EngineCore::add_link(LinkTerms terms,
                                                       std::shared_ptr<ControlLine> control) {
  const std::shared_lock running(running_);
  if (shut_) return engine_ended();
  auto link = std::make_shared<LinkCore>(shared_from_this(), std::move(terms), control);
  reactor_->add_link(link, std::move(control), peer_silence());
  return link;
}

Result<std::shared_ptr<LinkCore>> EngineCore::connect(const std::string& address, int port,
                                                      const LinkOptions& options) {
  if (port < 1 || port > 65535)
    return Error(Code::invalid_argument, fmt::format("{} is no port", port));
  HAWSER_ASSIGN(const Party party, make_party(*this, options));
  if (has_real_devmem(*net())) HAWSER_TRY(refuse_same_host(net()->name(), address));
  const Deadline deadline = Deadline::after(Milliseconds(options.timeout_ms));
  HAWSER_ASSIGN(Met met, meet(*this, party, address, port, deadline));
  HAWSER_ASSIGN(const std::shared_ptr<LinkCore> link,
                add_link(std::move(met.terms), std::move(met.control)));
  link->start();
  const Status up = link->wait_up(deadline);
  if (up.ok()) return link;
  link->close(up.error(), up.error().message());
  return up.error();
}

Result<std::shared_ptr<AcceptorCore>> EngineCore::listen(const std::string& address, int port,
                                                         const LinkOptions& options) {
  HAWSER_ASSIGN(Party party, make_party(*this, options));
  HAWSER_ASSIGN(std::shared_ptr<AcceptorCore> acceptor,
                AcceptorCore::create(shared_from_this(), std::move(party), address, port));
  const std::shared_lock running(running_);
  if (shut_) return engine_ended();
  reactor_->add(acceptor);
  const std::lock_guard lock(mutex_);
  std::erase_if(acceptors_, [](const auto& known) { return known.expired(); });
  acceptors_.push_back(acceptor);
  return acceptor;
}

}  // namespace hawser::engine
