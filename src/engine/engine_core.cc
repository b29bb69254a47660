#include "engine/engine_core.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/parameters.h"
#include "engine/acceptor_core.h"
#include "engine/meeting.h"
#include "net/hosted/hosting.h"
#include "setup/tcpx_gather.h"

namespace hawser::engine {
namespace {

Status check(const char* what, std::int64_t value, std::int64_t min, std::int64_t max) {
  if (value >= min && value <= max) return {};
  return Error(Code::invalid_argument,
               fmt::format("EngineOptions::{} is {}, of {} to {}", what, value, min, max));
}

Status check(const EngineOptions& options) {
  HAWSER_TRY(check("threads", options.threads, 0, 64));
  HAWSER_TRY(
      check("devices", static_cast<std::int64_t>(options.devices.size()), 0, wire::kMaxDevices));
  HAWSER_TRY(check("chunk_bytes", static_cast<std::int64_t>(options.chunk_bytes), 0,
                   wire::kMaxChunkBytes));
  HAWSER_TRY(check("stall_ms", options.stall_ms, 10, 600'000));
  HAWSER_TRY(check("peer_silence_ms", options.peer_silence_ms, 100, 3'600'000));
  HAWSER_TRY(check("retry_ms", options.retry_ms, 1, 600'000));
  return {};
}

Result<wire::Room> chosen_room() {
  HAWSER_ASSIGN(const std::int64_t messages, parameters::kMaxMessages.integer());
  HAWSER_ASSIGN(const std::int64_t reads, parameters::kMaxReads.integer());
  HAWSER_ASSIGN(const std::int64_t notifications, parameters::kMaxNotifications.integer());
  return wire::Room{static_cast<std::uint64_t>(messages), static_cast<std::uint64_t>(reads),
                    static_cast<std::uint64_t>(notifications)};
}

bool has_real_devmem(const Net& net) {
  return std::ranges::any_of(net.devices(),
                             [](const NetDevice& nic) { return nic.devmem == Devmem::real; });
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
  choice.data_ports = options.data_ports;
  choice.advertise = options.advertise;
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
  const auto engine = share_in_one_process(new EngineCore(options, std::move(transport)));
  engine->driver_ = std::move(driver);
  if (gpu != nullptr) engine->gpus_.emplace(0, std::move(gpu));
  HAWSER_TRY(engine->start());
  return engine;
}

Status EngineCore::start() {
  HAWSER_ASSIGN(limits_, PeerLimits::create());
  HAWSER_ASSIGN(NicChoice found, NicChoice::create(*net(), driver_.get(), options_));
  nics_ = std::make_shared<const NicChoice>(std::move(found));
  HAWSER_ASSIGN(key_, make_key());
  HAWSER_ASSIGN(room_, chosen_room());
  chunk_bytes_ = options_.chunk_bytes != 0 ? static_cast<std::size_t>(options_.chunk_bytes)
                                           : default_chunk_bytes(driver_ != nullptr);
  const auto chosen = nics();
  for (const int device : chosen->all()) {
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
  page_file_ = PageFile::create_if_possible();
  HAWSER_TRY(start_workers());
  HAWSER_ASSIGN(maker_, ChannelMaker::start());
  HAWSER_ASSIGN(reactor_, Reactor::start());
  HAWSER_ASSIGN(callbacks_, Callbacks::start());
  return {};
}

Error EngineCore::ended() {
  return Error(Code::cancelled, "the engine was destroyed");
}

Status EngineCore::running() const {
  const std::shared_lock running(running_);
  return shut_ ? Status(ended()) : Status();
}

std::vector<std::shared_ptr<LinkCore>> EngineCore::links() const {
  const std::shared_lock running(running_);
  return shut_ ? std::vector<std::shared_ptr<LinkCore>>() : reactor_->links();
}

std::shared_ptr<const NicChoice> EngineCore::nics() const {
  const std::lock_guard lock(mutex_);
  return nics_;
}

// Where devices were named, they stay what was found under those names.
Result<std::shared_ptr<const NicChoice>> EngineCore::look_at_nics() {
  const auto* const before = &net()->devices();
  HAWSER_TRY(net()->refresh());
  if (&net()->devices() == before) return nics();
  HAWSER_ASSIGN(NicChoice found, NicChoice::create(*net(), driver_.get(), options_));
  const std::lock_guard lock(mutex_);
  nics_ = std::make_shared<const NicChoice>(std::move(found));
  return nics_;
}

std::string EngineCore::description() const {
  std::string names;
  const auto chosen = nics();
  for (const int device : chosen->all())
    names += (names.empty() ? "" : ", ") + net()->devices()[static_cast<std::size_t>(device)].name;
  const std::string unpack = transport_.unpack_text(nics()->all().front());
  return fmt::format("{} ({}){}", net()->description(), names,
                     unpack == "placed" ? "" : ", unpack " + unpack);
}

// ---- GPUs ----

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
  if (ordinal < 0 && nic.capabilities.comms_of_a_gpu) ordinal = nics()->gpu_near(device);
  if (ordinal >= 0) {
    auto wanted = gpu(ordinal);
    return wanted.ok() ? *wanted : nullptr;
  }
  const std::lock_guard lock(mutex_);
  return gpus_.empty() ? nullptr : gpus_.begin()->second;
}

// ---- links ----

Status EngineCore::admit(const std::string& peer, std::size_t channels) const {
  PeerLimits::Taken taken;
  for (const auto& link : links()) {
    if (link->client()) continue;
    const std::uint64_t descriptors = PeerLimits::descriptors_of(link->channels());
    taken.descriptors += descriptors;
    if (address_of_peer(link->peer()) != address_of_peer(peer)) continue;
    taken.descriptors_of_peer += descriptors;
    ++taken.links_of_peer;
  }
  return limits_->admit(taken, channels);
}

Result<std::shared_ptr<LinkCore>> EngineCore::add_link(LinkTerms terms,
                                                       std::shared_ptr<ControlLine> control) {
  const std::shared_lock running(running_);
  if (shut_) return ended();
  auto link = make_shared_of_one_process<LinkCore>(shared_from_this(), std::move(terms), control);
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
  HAWSER_TRY(make_party(*this, options));  // whether the options are right
  HAWSER_ASSIGN(std::shared_ptr<AcceptorCore> acceptor,
                AcceptorCore::create(shared_from_this(), options, address, port));
  const std::shared_lock running(running_);
  if (shut_) return ended();
  reactor_->add(acceptor);
  const std::lock_guard lock(mutex_);
  std::erase_if(acceptors_, [](const auto& known) { return known.expired(); });
  acceptors_.push_back(acceptor);
  return acceptor;
}

}  // namespace hawser::engine
