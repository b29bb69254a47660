// socket_choices: what a way of using a TCP socket is worth on this machine, each beside the plain
// one. Two processes over loopback; nothing of hawser's transport is used.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "perf/affinity.h"
#include "perf/host.h"
#include "perf/sizes.h"
#include "socket_choices/peer.h"
#include "socket_choices/report.h"
#include "socket_choices/variants.h"

namespace hawser::bench {
namespace {

enum Exit { kMeasured = 0, kEndedEarly = 1, kUsage = 2, kCouldNotRun = 3 };

struct Given {
  std::string sizes = "4K,64K,1M,16M";
  std::string only;
  std::string congestion = "reno";
  std::string json;
  double timeout_s = 20;
  bool no_pin = false;
  Plan plan;
};

void add_options(CLI::App& app, Given& given) {
  app.add_option("--sizes", given.sizes, "of a stream's messages; a ping-pong's have 8 bytes")
      ->capture_default_str();
  app.add_option("--only", given.only, "variants or groups, by comma; a wrong one lists them");
  app.add_option("--repeats", given.plan.repeats, "pairs of samples for each figure")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--duration-ms", given.plan.duration_ms, "of one sample, about")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--congestion", given.congestion,
                 "of all sockets but that group's; '' leaves the kernel's default")
      ->capture_default_str();
  app.add_option("--timeout", given.timeout_s, "seconds that any sample may take")
      ->check(CLI::Range(1.0, 600.0))
      ->capture_default_str();
  app.add_flag("--no-pin", given.no_pin, "let both processes run anywhere");
  app.add_option("--json", given.json, "write every sample to this file");
}

int complain(const Error& error, Exit status) {
  std::cerr << "socket_choices: " << error.message() << "\n";
  return status;
}

Status complete(Given& given) {
  HAWSER_ASSIGN(given.plan.stream_sizes, parse_sizes(given.sizes));
  HAWSER_ASSIGN(given.plan.variants, select(all_variants(given.congestion), given.only));
  add_baselines(given.plan.variants, given.congestion);
  given.plan.timeout = Milliseconds(static_cast<int>(given.timeout_s * 1000));
  return {};
}

// One CPU for each side, of different cores; -1 where there are no two.
Result<Circumstances> circumstances_of(const Given& given) {
  Circumstances circumstances;
  circumstances.congestion = given.congestion;
  const CpuHalves halves = halve(allowed_cpus(), core_of_cpu);
  if (!given.no_pin && !halves.first.empty()) {
    HAWSER_ASSIGN(const auto first, parse_cpus(halves.first));
    HAWSER_ASSIGN(const auto second, parse_cpus(halves.second));
    circumstances.sender_cpu = first.front();
    circumstances.receiver_cpu = second.front();
  }
  circumstances.machine = machine_text(circumstances.sender_cpu >= 0);
  return circumstances;
}

void show_progress(const std::string& what) {
  if (::isatty(STDERR_FILENO) != 0) std::cerr << "\r\x1b[K" << what << std::flush;
}

int report(const Given& given, const Circumstances& circumstances, const Findings& findings) {
  if (::isatty(STDERR_FILENO) != 0) std::cerr << "\r\x1b[K" << std::flush;
  std::cout << table_of(given.plan, circumstances, findings) << std::flush;
  if (!given.json.empty()) {
    std::ofstream file(given.json);
    file << json_of(given.plan, circumstances, findings) << "\n";
    if (!file.flush())
      return complain(Error(Code::system, "cannot write " + given.json), kCouldNotRun);
  }
  return findings.error.empty() ? kMeasured : kEndedEarly;
}

int run(Given& given) {
  if (const Status good = complete(given); !good.ok()) return complain(good.error(), kUsage);
  const auto circumstances = circumstances_of(given);
  if (!circumstances.ok()) return complain(circumstances.error(), kCouldNotRun);
  auto peer = Peer::start(given.plan.variants, given.plan.timeout, circumstances->receiver_cpu);
  if (!peer.ok()) return complain(peer.error(), kCouldNotRun);
  std::vector<int> cpus;
  if (circumstances->sender_cpu >= 0) cpus.push_back(circumstances->sender_cpu);
  const auto pinned = ScopedAffinity::pin(cpus);
  if (!pinned.ok()) return complain(pinned.error(), kCouldNotRun);
  return report(given, *circumstances, survey(given.plan, peer->control(), show_progress));
}

}  // namespace
}  // namespace hawser::bench

int main(int argc, char** argv) {
  hawser::bench::Given given;
  CLI::App app("What choices about a TCP socket are worth, on bare sockets over loopback");
  add_options(app, given);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? hawser::bench::kMeasured : hawser::bench::kUsage;
  }
  return run(given);
}
