#include "setup/tcpx_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "base/log.h"
#include "base/parameters.h"
#include "net/nic_place.h"
#include "setup/tcpx_gather.h"

namespace hawser {
namespace {

// A process may open its plugin often; its set-up is the same each time.
void warn_once(const std::string& line) {
  static std::mutex mutex;
  static auto* const told = new std::set<std::string>;  // never destroyed: threads outlive exit()
  {
    const std::lock_guard lock(mutex);
    if (!told->insert(line).second) return;
  }
  log_warning("{}", line);
}

void warn(const std::string& plugin, const Finding& finding) {
  if (finding.severity == Severity::warning)
    warn_once(fmt::format("set-up of {}: {}", plugin, finding.text()));
}

}  // namespace

Result<TcpxReport> inspect_tcpx(const PluginFound& plugin, const TcpxQuestion& question) {
  set_tcpx_defaults();
  TcpxReport report{gather_tcpx_setup(plugin), {}};
  report.setup.gpu_bus_id = question.gpu_bus_id;
  report.setup.wanted_chunk_bytes = question.wanted_chunk_bytes;
  if (report.setup.kind == TcpxKind::real) set_peer(report.setup, question.peer);
  report.outcomes = check_tcpx_setup(report.setup);
  for (const CheckOutcome& outcome : report.outcomes)
    if (outcome.finding) warn(plugin.name, *outcome.finding);
  HAWSER_TRY(setup_errors(report.setup, report.outcomes));
  return report;
}

std::function<Status(const PluginFound&)> tcpx_guard(
    const PluginOptions& options, std::shared_ptr<std::optional<TcpxReport>> place) {
  TcpxQuestion question{options.gpu ? options.gpu->info().pci_bus_id : "",
                        options.wanted_chunk_bytes, options.peer};
  return [question = std::move(question),
          place = std::move(place)](const PluginFound& plugin) -> Status {
    if (place != nullptr) place->reset();
    if (tcpx_kind(plugin.name) == TcpxKind::none) return {};
    HAWSER_ASSIGN(TcpxReport report, inspect_tcpx(plugin, question));
    if (place != nullptr) *place = std::move(report);
    return {};
  };
}

Status inspect_receive_manager(const GpuInfo& gpu, const NetDevice& chosen) {
  if (chosen.devmem != Devmem::real) return {};
  TcpxSetup setup;
  setup.gpu_bus_id = gpu.pci_bus_id;
  setup.rxdm_folder = parameters::kTcpxUnixClientPrefix.text_or_default();
  const auto finding = check_rxdm(setup);
  if (!finding) return {};
  return Error(Code::unavailable, fmt::format("GPU {}: {}", gpu.ordinal, finding->text()));
}

Status inspect_nic(const GpuInfo& gpu, const NetDevice& chosen, const std::vector<NetDevice>& all) {
  if (chosen.devmem != Devmem::real) return {};
  const PciPlace place = find_pci_function(parameters::kSysfsRoot.text_or_default(),
                                           fmt::format("GPU {}", gpu.ordinal), gpu.pci_bus_id);
  std::vector<PciPlace> nics;
  for (const NetDevice& device : all) nics.push_back(place_of(device));
  const auto finding = check_nic_of_gpu(place, place_of(chosen), nics);
  if (!finding) return {};
  if (finding->severity == Severity::error) return Error(Code::invalid_argument, finding->text());
  warn("the devices", *finding);
  return {};
}

}  // namespace hawser
