// An engine's threads: how many, where, and their end.
#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/cpu_quota.h"
#include "base/log.h"
#include "base/parameters.h"
#include "engine/acceptor_core.h"
#include "engine/engine_core.h"
#include "machine/numa.h"
#include "net/hosted/hosting.h"

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
// A NIC's queues, and the kernel's work behind them, are spread by connection.
constexpr int kChannelsOfNic = 2;
// A plugin whose device unpacks polls in a thread of its own for each, and its bounce pool holds
// what all have in flight (docs/tcpx.md).
constexpr int kMostChannelsOfUnpacking = 4;

bool unpacks(const Net& net) {
  return std::ranges::any_of(net.devices(),
                             [](const NetDevice& nic) { return nic.capabilities.needs_unpack; });
}

}  // namespace

std::size_t default_chunk_bytes(bool cuda_driver) {
  return cuda_driver ? kDefaultChunkBytesOfGpu : kDefaultChunkBytes;
}

int default_channels(const Net& net, std::size_t pairs, bool loopback) {
  const std::size_t cpus = usable_cpus();
  const std::size_t in_all = cpus < kFewCpus ? 1 : std::min(cpus / 2, kMostWorkers);
  const int each = static_cast<int>((in_all + pairs - 1) / pairs);
  const int wanted = loopback ? each : std::max(each, kChannelsOfNic);
  return unpacks(net) ? std::min(wanted, kMostChannelsOfUnpacking) : wanted;
}

// Those of a NUMA node for its NICs; as many in all as half the CPUs.
Status EngineCore::start_workers() {
  const std::size_t cpus = usable_cpus();
  std::set<int> nodes;
  const auto chosen = nics();
  for (const int device : chosen->all())
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

// ---- the end ----

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
  for (const auto& link : links) link->close(ended(), "its engine was destroyed");
  const Deadline deadline = Deadline::after(patience);
  for (const auto& link : links)
    if (!link->wait_ended(deadline))
      log_error("a link to {} did not end within {} ms: a transport's call hangs", link->peer(),
                patience.count());
  reactor_.reset();
  const Status threads = end_threads(deadline);
  const Status callbacks = end_callbacks(deadline);
  return threads.ok() ? callbacks : threads;
}

// Last: every transfer has ended, and so all that will ever be due is.
Status EngineCore::end_callbacks(const Deadline& deadline) {
  if (callbacks_ == nullptr || callbacks_->calling()) {
    if (callbacks_ != nullptr) callbacks_->end(Deadline::after(Milliseconds::zero()));
    return {};
  }
  const Deadline last =
      deadline.remaining() > kLastPatience ? deadline : Deadline::after(kLastPatience);
  if (callbacks_->end(last)) return {};
  const Error why(
      Code::timeout,
      "ending an engine: a callback has not returned: its thread is left behind, and no "
      "further callback is called");
  log_error("{}", why.message());
  return why;
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

}  // namespace hawser::engine
