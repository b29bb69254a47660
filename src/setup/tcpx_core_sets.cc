// The check of the core sets.
#include <fmt/core.h>

#include <algorithm>

#include "base/cpus.h"
#include "base/parameters.h"
#include "setup/core_sets.h"
#include "setup/tcpx_setup.h"

namespace hawser {
namespace {

struct Bindings {
  const Parameter& parameter;
  std::vector<CoreSet> sets;
};

constexpr const char* kExample = "as in eth1:8-21,112-125;eth2:8-21,112-125";

std::optional<Finding> check_cores_exist(const Bindings& bindings, const TcpxSetup& setup) {
  if (setup.cpus.empty()) return std::nullopt;
  for (const CoreSet& set : bindings.sets) {
    std::vector<int> missing;
    std::ranges::set_difference(set.cpus, setup.cpus, std::back_inserter(missing));
    if (missing.empty()) continue;
    return Finding{Severity::error,
                   fmt::format("{} gives {} the cores {}, which this machine does not have (it has "
                               "{})",
                               bindings.parameter.name, set.interface, cpus_text(missing),
                               cpus_text(setup.cpus)),
                   "name cores that there are, or unset it"};
  }
  return std::nullopt;
}

std::optional<Finding> check_interfaces_exist(const Bindings& bindings, const TcpxSetup& setup) {
  const auto& known = setup.interface_names;
  if (known.empty()) return std::nullopt;
  for (const CoreSet& set : bindings.sets)
    if (std::ranges::find(known, set.interface) == known.end())
      return Finding{Severity::warning,
                     fmt::format("{} names {}, which is no interface of this machine: the plugin "
                                 "passes over it",
                                 bindings.parameter.name, set.interface),
                     "name the data NICs as `hawser devices` does"};
  return std::nullopt;
}

std::optional<Finding> check_disjoint(const Bindings& tx, const Bindings& rx) {
  for (const CoreSet& sends : tx.sets)
    for (const CoreSet& receives : rx.sets)
      if (const auto shared = shared_cpus(sends.cpus, receives.cpus); !shared.empty())
        return Finding{
            Severity::error,
            fmt::format("{} for {} and {} for {} share the cores {}: threads that poll would "
                        "push each other off them",
                        tx.parameter.name, sends.interface, rx.parameter.name, receives.interface,
                        cpus_text(shared)),
            "give sending and receiving threads cores of their own (docs/tcpx.md has A3-High's)"};
  return std::nullopt;
}

// Nothing is set for one direction: the plugin's threads may run anywhere near the NIC.
std::optional<Finding> check_both_set(const TcpxSetup& setup) {
  if (setup.kind != TcpxKind::real || (setup.tx_bindings && setup.rx_bindings)) return std::nullopt;
  const Parameter& unset =
      setup.tx_bindings ? parameters::kTcpxRxBindings : parameters::kTcpxTxBindings;
  return Finding{
      Severity::warning,
      fmt::format("{} is unset: the plugin's threads share all cores of their NIC's NUMA "
                  "node",
                  unset.name),
      fmt::format("set it, {} (docs/tcpx.md has A3-High's)", kExample)};
}

std::optional<Finding> read(Bindings& bindings, const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  auto sets = parse_core_sets(*text);
  if (!sets.ok())
    return Finding{Severity::error,
                   fmt::format("{}={}: {}", bindings.parameter.name, *text, sets.error().message()),
                   fmt::format("write interfaces and ranges of cores, {}", kExample)};
  bindings.sets = *std::move(sets);
  return std::nullopt;
}

}  // namespace

// The worst first: there is one finding, and an error must not hide behind a warning.
std::optional<Finding> check_core_sets(const TcpxSetup& setup) {
  Bindings tx{parameters::kTcpxTxBindings, {}}, rx{parameters::kTcpxRxBindings, {}};
  if (auto finding = read(tx, setup.tx_bindings)) return finding;
  if (auto finding = read(rx, setup.rx_bindings)) return finding;
  if (auto finding = check_disjoint(tx, rx)) return finding;
  for (const Bindings* bindings : {&tx, &rx})
    if (auto finding = check_cores_exist(*bindings, setup)) return finding;
  for (const Bindings* bindings : {&tx, &rx})
    if (auto finding = check_interfaces_exist(*bindings, setup)) return finding;
  return check_both_set(setup);
}

}  // namespace hawser
