// init, devices, registrations and the rest that is of no one comm.
#include "plugin.h"

#include <unistd.h>

#include <cstdio>
#include <thread>

#include "unpack_layout.h"

namespace emu {
namespace {

constexpr int kMaxComms = 65536;

}  // namespace

int Plugin::enter(HawserEmuCall call) {
  stats_.calls[call].fetch_add(1, std::memory_order_relaxed);
  if (ready_.load(std::memory_order_acquire)) return kSuccess;
  return report_.rule_broken("a call before init has succeeded");
}

Outcome Plugin::fault(HawserEmuCall call, const CommInfo& info, FirstCall* first) {
  return faults_->apply(call, info.side, info.channel, first);
}

int Plugin::shared(const CommInfo& info, const char* call) {
  return report_.rule_broken("channel %d: %s while another thread is in the same comm",
                             info.channel, call);
}

int Plugin::refuse_environment(const std::string& problem) {
  std::fprintf(stderr, "emulated TCPX: %s\n", problem.c_str());
  report_.warn("%s", problem.c_str());
  return kInvalidArgument;
}

int Plugin::init(Logger logger) {
  stats_.calls[HAWSER_EMU_INIT].fetch_add(1, std::memory_order_relaxed);
  if (init_called_.exchange(true)) return report_.rule_broken("init called twice in one process");
  if (logger == nullptr) return report_.rule_broken("init with no logger");
  report_.set_logger(logger);
  const int problem = start();
  if (problem == kSuccess) ready_.store(true, std::memory_order_release);
  return problem;
}

int Plugin::start() {
  if (const std::string problem = read_settings(settings_); !problem.empty())
    return refuse_environment(problem);
  faults_ = std::make_unique<Faults>(settings_.faults, stats_);
  if (const Outcome outcome = faults_->apply(HAWSER_EMU_INIT); outcome.verdict == Outcome::fail)
    return outcome.code;
  std::string why;
  cuda_ = Cuda::load(settings_.cuda_library, why);
  if (cuda_ == nullptr && settings_.bounce == BouncePlace::cuda)
    return refuse_environment("HAWSER_EMU_BOUNCE=cuda: " + why);
  devices_ = find_devices(settings_.interfaces, settings_.sysfs_root);
  gpu_nics_ = GpuNics(settings_.gpu_nics, settings_.sysfs_root);
  setups_ = std::make_unique<SetupCalls>(settings_.import_time, report_, stats_);
  // The real one logs from helper threads: a host must expect it.
  std::thread([this] { report_.info("%zu devices", devices_.size()); }).join();
  return kSuccess;
}

int Plugin::devices(int* count) {
  if (const int problem = enter(HAWSER_EMU_DEVICES)) return problem;
  if (const Outcome outcome = faults_->apply(HAWSER_EMU_DEVICES); outcome.verdict == Outcome::fail)
    return outcome.code;
  *count = static_cast<int>(devices_.size());
  return kSuccess;
}

int Plugin::get_properties(int device, Properties* properties) {
  if (const int problem = enter(HAWSER_EMU_GET_PROPERTIES)) return problem;
  if (const Outcome outcome = faults_->apply(HAWSER_EMU_GET_PROPERTIES);
      outcome.verdict == Outcome::fail)
    return outcome.code;
  if (device < 0 || static_cast<std::size_t>(device) >= devices_.size())
    return report_.rule_broken("getProperties of device %d of %zu", device, devices_.size());
  const Device& from = devices_[static_cast<std::size_t>(device)];
  *properties = {from.name.c_str(),
                 from.pci_path.empty() ? nullptr : from.pci_path.c_str(),
                 static_cast<std::uint64_t>(device),
                 cuda_ == nullptr ? kPointerHost : kPointerHost | kPointerCuda,
                 from.speed_mbps,
                 0,
                 0,
                 kMaxComms,
                 1,
                 kNetDeviceUnpack,
                 kNetDeviceVersion};
  return kSuccess;
}

// The comm that a registration or getDeviceMr names, sending or receiving.
const CommInfo* Plugin::find_info(void* comm, std::shared_ptr<void>& keep) const {
  if (auto sender = senders_.find(comm)) {
    keep = sender;
    return &sender->info();
  }
  if (auto receiver = receivers_.find(comm)) {
    keep = receiver;
    return &receiver->info();
  }
  return nullptr;
}

int Plugin::check_memory(const void* data, int bytes, int type) {
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  if (data == nullptr || bytes <= 0)
    return report_.rule_broken("regMr of %d bytes at %p", bytes, data);
  if (type == kPointerCuda && address % kPageBytes != 0)
    return report_.rule_broken("regMr of %p, which is not aligned to 4096", data);
  if (type != kPointerHost && type != kPointerCuda)
    return report_.rule_broken("regMr of pointer type %d", type);
  return kSuccess;
}

// By the driver, as the real one: which misses that the driver refused, works on the descriptor
// that it was not given, 0, and closes that.
int Plugin::export_memory(Registration& registration) {
  if (cuda_ == nullptr) {
    report_.warn("regMr of CUDA memory without a CUDA driver");
    return kCudaError;
  }
  registration.context = cuda_->current();
  if (registration.context == nullptr)
    return report_.rule_broken("regMr of CUDA memory in a thread without a CUDA context");
  if (!cuda_->is_device_pointer(registration.data))
    return report_.rule_broken("regMr of %p as CUDA memory, which it is not", registration.data);
  const int result = cuda_->export_range(registration.context, registration.data,
                                         registration.bytes, &registration.dma_buf);
  const bool whole_pages = registration.bytes % kPageBytes == 0;
  if (result == 0 || (result == kCudaNotSupported && whole_pages)) return kSuccess;
  ::close(0);
  return report_.rule_broken(
      "regMr of %zu bytes of CUDA memory at %p, which the driver does not export (%d): want whole "
      "pages of one allocation; descriptor 0 is closed, as by the real plugin",
      registration.bytes, registration.data, result);
}

int Plugin::register_memory(const CommInfo& info, void* data, int bytes, int type, void** out) {
  if (const int problem = check_memory(data, bytes, type)) return problem;
  if (faults_->devmem_conflict(info.side) &&
      windows_.others_open(info.creation, info.device, info.side)) {
    stats_.faults_applied.fetch_add(1, std::memory_order_relaxed);
    report_.warn("channel %d: devmem conflict (emulated)", info.channel);
    return kInternalError;
  }
  auto registration = std::make_shared<Registration>();
  registration->data = static_cast<std::byte*>(data);
  registration->bytes = static_cast<std::size_t>(bytes);
  registration->type = type;
  registration->device = info.device;
  if (type == kPointerCuda)
    if (const int problem = export_memory(*registration)) return problem;
  const std::uint64_t number = registrations_.reserve();
  registrations_.put(number, std::move(registration));
  stats_.registrations_made.fetch_add(1, std::memory_order_relaxed);
  *out = opaque(Tag::registration, number);
  return kSuccess;
}

int Plugin::reg_mr(void* comm, void* data, int bytes, int type, void** out) {
  if (const int problem = enter(HAWSER_EMU_REG_MR)) return problem;
  std::shared_ptr<void> keep;
  const CommInfo* info = find_info(comm, keep);
  if (info == nullptr) return report_.rule_broken("regMr with %p, which is no live comm", comm);
  const Outcome outcome = fault(HAWSER_EMU_REG_MR, *info);
  const int result = outcome.verdict == Outcome::fail
                         ? outcome.code
                         : register_memory(*info, data, bytes, type, out);
  windows_.close(info->creation);
  return result;
}

int Plugin::dereg_mr(void* comm, void* opaque_registration) {
  if (const int problem = enter(HAWSER_EMU_DEREG_MR)) return problem;
  std::shared_ptr<void> keep;
  const CommInfo* info = find_info(comm, keep);
  const Outcome outcome = fault(HAWSER_EMU_DEREG_MR, info == nullptr ? CommInfo{} : *info);
  if (outcome.verdict == Outcome::fail) return outcome.code;
  if (opaque_registration == nullptr) return kSuccess;
  const auto registration = registrations_.find(opaque_registration);
  if (registration == nullptr)
    return report_.rule_broken("deregMr of %p, which is no live registration", opaque_registration);
  if (registration->in_flight.load() != 0) {  // the real one says nothing, and sends go wrong
    stats_.deregistered_in_flight.fetch_add(1, std::memory_order_relaxed);
    report_.warn("deregMr of %p with requests in flight", opaque_registration);
  }
  registrations_.remove(opaque_registration);
  return kSuccess;
}

int Plugin::get_device_mr(void* comm) {
  if (const int problem = enter(HAWSER_EMU_GET_DEVICE_MR)) return problem;
  std::shared_ptr<void> keep;
  const CommInfo* info = find_info(comm, keep);
  const Outcome outcome = fault(HAWSER_EMU_GET_DEVICE_MR, info == nullptr ? CommInfo{} : *info);
  return outcome.verdict == Outcome::fail ? outcome.code : kSuccess;
}

BouncePool* Plugin::pool_of(const Place& place) {
  const std::lock_guard lock(pools_mutex_);
  auto& pool = pools_[place.context];
  if (pool == nullptr) pool = BouncePool::create(place, settings_.pool_pages, stats_);
  return pool.get();
}

void Plugin::stats(HawserEmuStats& out) const {
  out = {};
  stats_.copy_to(out);
  out.violations = report_.violations();
  out.registrations_alive = registrations_.size();
  out.listen_comms_alive = listeners_.size();
  out.send_comms_alive = senders_.size();
  out.receive_comms_alive = receivers_.size();
  std::snprintf(out.last_violation, sizeof out.last_violation, "%s",
                report_.last_violation().c_str());
}

}  // namespace emu
