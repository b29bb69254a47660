#include "net/isolated/isolated_net.h"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>

#include "base/parameters.h"
#include "gpu/gpu.h"
#include "net/isolated/host_program.h"
#include "net/isolated/isolated_connection.h"

namespace hawser {
namespace isolate {
namespace {

// What a plugin takes may be a GiB; the slots of a comm are to stay small.
constexpr std::size_t kMaxRequestBytes = std::size_t{1} << 20;

// That process opens GPUs of its own.
int ordinal_of(const CommPlace& place) {
  return place.gpu != nullptr ? place.gpu->info().ordinal : -1;
}

Result<ProcessOptions> settled(ProcessOptions options) {
  HAWSER_ASSIGN(options.program, find_host_program(options.program));
  if (options.data_call_bound == Milliseconds(0)) {
    HAWSER_ASSIGN(const std::int64_t bound, parameters::kIsolateHangMs.integer());
    options.data_call_bound = Milliseconds(bound);
  }
  return options;
}

}  // namespace

Status IsolatedNet::start() {
  HAWSER_ASSIGN(const Answer opened, process_->opened());
  HAWSER_ASSIGN(const std::vector<std::string> texts, split_texts(opened.text, 2));
  if (texts.size() != 2 || opened.reply.devices < 1 || opened.reply.devices > kMaxDevices)
    return Error(Code::protocol, "a plugin's process opened nothing that makes sense");
  name_ = texts[0];
  description_ = texts[1] + ", in a process of its own (isolated)";
  process_->set_name(name_);
  for (std::uint32_t index = 0; index < opened.reply.devices; ++index)
    HAWSER_TRY(add_device(static_cast<int>(index)));
  return {};
}

Status IsolatedNet::add_device(int index) {
  HostCall request;
  request.kind = HostCallKind::device;
  request.device = index;
  HAWSER_ASSIGN(const Answer answer, process_->ask(request));
  HAWSER_ASSIGN(NetDevice device, to_device(answer.reply, answer.text));
  NetCapabilities& can = device.capabilities;
  can.max_request_bytes = std::min(can.max_request_bytes, kMaxRequestBytes);
  isolated_.push_back({index, name_, can, nullptr});
  if (can.registration_per_device)
    isolated_.back().registrations = std::make_unique<RegistrationSet>();
  devices_.push_back(std::move(device));
  return {};
}

Status IsolatedNet::check_device(int device) const {
  if (device >= 0 && static_cast<std::size_t>(device) < devices_.size()) return {};
  return Error(Code::invalid_argument,
               fmt::format("{}: no device {}: it has {}", name_, device, devices_.size()));
}

Result<std::unique_ptr<Listener>> IsolatedNet::listen(const CommPlace& place) {
  HAWSER_TRY(check_device(place.device));
  return IsolatedListener::listen(process_, isolated_[static_cast<std::size_t>(place.device)],
                                  ordinal_of(place));
}

Result<std::unique_ptr<Connector>> IsolatedNet::connect(const CommPlace& place,
                                                        const Handle& handle) {
  HAWSER_TRY(check_device(place.device));
  return std::unique_ptr<Connector>(std::make_unique<IsolatedConnector>(
      process_, isolated_[static_cast<std::size_t>(place.device)], ordinal_of(place), handle));
}

std::chrono::nanoseconds IsolatedNet::cpu_time_elsewhere() const {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(process_->pid(), &clock) != 0) return {};
  if (::clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace isolate

Result<std::unique_ptr<Net>> open_isolated(const std::vector<PluginChoice>& candidates,
                                           const PluginOptions& options,
                                           const isolate::ProcessOptions& process_options) {
  if (candidates.empty()) return Error(Code::unavailable, "no plugin was asked for");
  isolate::Settings settings;
  settings.candidates = candidates;
  settings.chunk_bytes = options.chunk_bytes;
  settings.wanted_chunk_bytes = options.wanted_chunk_bytes;
  settings.peer = options.peer;
  settings.gpu = options.gpu ? options.gpu->info().ordinal : -1;
  settings.max_version = options.max_version;
  settings.log_level = log_level();
  HAWSER_ASSIGN(const isolate::ProcessOptions settled, isolate::settled(process_options));
  HAWSER_ASSIGN(std::shared_ptr<isolate::PluginProcess> process,
                isolate::PluginProcess::start(settled, settings));
  if (options.journal) options.journal->include(process->journal());
  auto net = std::make_unique<isolate::IsolatedNet>(std::move(process));
  HAWSER_TRY(net->start());
  return std::unique_ptr<Net>(std::move(net));
}

}  // namespace hawser
