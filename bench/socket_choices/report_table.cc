#include <fmt/core.h>

#include "perf/sizes.h"
#include "socket_choices/report.h"

namespace hawser::bench {
namespace {

std::string spread_text(const std::vector<double>& values, int digits) {
  const Spread spread = spread_of(values);
  return fmt::format("{:.{}f} ({:.{}f}-{:.{}f})", spread.median, digits, spread.min, digits,
                     spread.max, digits);
}

std::string pin_text(const Circumstances& circumstances) {
  if (circumstances.sender_cpu < 0) return "not pinned: one core only, or asked not to";
  return fmt::format("sender on CPU {}, receiver on CPU {}", circumstances.sender_cpu,
                     circumstances.receiver_cpu);
}

std::string header(const Plan& plan, const Circumstances& circumstances) {
  return fmt::format(
      "=== socket_choices: bare TCP sockets over loopback, two processes ===\n"
      "Machine:   {}\n"
      "CPUs:      {}\n"
      "Repeats:   {} of about {} ms, each right beside the baseline; median (least-most)\n"
      "Baseline:  streams by blocking send/recv of whole messages, ping-pong by polling ones; "
      "TCP_NODELAY, {}\n",
      circumstances.machine, pin_text(circumstances), plan.repeats, plan.duration_ms,
      circumstances.congestion.empty() ? "the kernel's congestion control"
                                       : "congestion control " + circumstances.congestion);
}

std::string head(Traffic traffic) {
  if (traffic == Traffic::stream)
    return fmt::format(
        "\n--- streams: GB/s (10^9 bytes); a ratio above 1 is better, of CPU time per byte below 1 "
        "---\n{:<20} {:>8}  {:>20}  {:>20}  {:>18}  {:>6}  {}\n",
        "variant", "message", "GB/s", "baseline GB/s", "ratio", "CPU x", "note");
  return fmt::format(
      "\n--- ping-pong: median of half round trips in us; a ratio below 1 is better ---\n"
      "{:<28} {:>8}  {:>20}  {:>20}  {:>18}  {:>6}  {}\n",
      "variant", "message", "us", "baseline us", "ratio", "CPU x", "note");
}

std::string line(const Comparison& comparison) {
  const int width = comparison.variant.traffic == Traffic::stream ? 20 : 28;
  const std::string start = fmt::format("{:<{}} {:>8}  ", comparison.variant.name, width,
                                        size_text(comparison.message_bytes));
  if (comparison.state != State::measured)
    return start + fmt::format("{}: {}\n", state_name(comparison.state), comparison.reason);
  if (comparison.pairs.empty()) return start + "not reached\n";
  return start + fmt::format("{:>20}  {:>20}  {:>18}  {:>6.2f}{}{}\n",
                             spread_text(comparison.variant_figures(), 2),
                             spread_text(comparison.baseline_figures(), 2),
                             spread_text(comparison.ratios(), 2),
                             spread_of(comparison.cpu_ratios()).median,
                             comparison.note.empty() ? "" : "  ", comparison.note);
}

std::string section(const Findings& findings, Traffic traffic) {
  std::string lines;
  for (const Comparison& comparison : findings.comparisons)
    if (comparison.variant.traffic == traffic) lines += line(comparison);
  return lines.empty() ? "" : head(traffic) + lines;
}

}  // namespace

std::string table_of(const Plan& plan, const Circumstances& circumstances,
                     const Findings& findings) {
  std::string text = header(plan, circumstances) + section(findings, Traffic::stream) +
                     section(findings, Traffic::ping_pong);
  if (!findings.error.empty()) text += fmt::format("\nENDED EARLY: {}\n", findings.error);
  return text;
}

}  // namespace hawser::bench
