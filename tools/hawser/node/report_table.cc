#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "node/kernel_counts.h"
#include "node/report.h"

namespace hawser::node {
namespace {

const char* direction_text(const Terms& terms) {
  return terms.both_ways ? "both ways at once" : "client to server";
}

std::string amount_text(const Terms& terms) {
  return terms.iterations != 0
             ? fmt::format("{} iterations", terms.iterations)
             : fmt::format("{:.1f} s", static_cast<double>(terms.duration_ms) / 1000);
}

// Of a GPU that failed, not all that was asked for came, or was looked at.
const char* comparison_text(const NodeOutcome& outcome) {
  if (!outcome.terms.verify) return "data NOT VERIFIED";
  const bool all = std::all_of(outcome.gpus.begin(), outcome.gpus.end(),
                               [](const GpuOutcome& gpu) { return gpu.passed(); });
  return all ? "every byte compared" : "compared as far as it came";
}

std::string head(const NodeOutcome& outcome) {
  const Terms& terms = outcome.terms;
  std::string text = fmt::format("=== hawser node: {} ===\n", role_name(outcome.role));
  text += fmt::format("Here:      {}: {}\n", outcome.host, outcome.devices);
  text += fmt::format("Transport: {}\n", outcome.transport);
  if (outcome.peer_host.empty()) return text + "Peer:      none\n";
  text += fmt::format("Peer:      {}: {} devices, {}\n", outcome.peer_host, terms.gpus,
                      outcome.peer_memory);
  return text + fmt::format("Traffic:   {} bytes per GPU and iteration, {}, {}; {}\n", terms.bytes,
                            direction_text(terms), amount_text(terms), comparison_text(outcome));
}

std::string nics_text(const GpuOutcome& gpu) {
  std::vector<std::string> names;
  for (const ChannelReport& channel : gpu.link.channels) names.push_back(channel.device);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text.empty() ? "-" : text;
}

std::string gpu_lines(const NodeOutcome& outcome, const Accounts& accounts) {
  std::string text = fmt::format("\n{:<8} {:>10} {:>16} {:>16} {:>9} {:>9} {:>9}  {:<6}  {}\n",
                                 "GPU", "iterations", "bytes sent", "bytes received", "GB/s out",
                                 "GB/s in", "channels", "result", "NICs");
  for (std::size_t i = 0; i < outcome.gpus.size(); ++i) {
    const GpuOutcome& gpu = outcome.gpus[i];
    const Account& account = accounts.gpus[i];
    text += fmt::format(
        "{:<8} {:>10} {:>16} {:>16} {:>9.3f} {:>9.3f} {:>5}/{:<3}  {:<6}  {}\n", account.name,
        std::max(gpu.sent.iterations, gpu.received.iterations), gpu.sent.bytes, gpu.received.bytes,
        gigabytes_per_second(gpu.sent.bytes, gpu.seconds()),
        gigabytes_per_second(gpu.received.bytes, gpu.seconds()), account.channels_up,
        account.channels, gpu.passed() ? "passed" : "FAILED", nics_text(gpu));
  }
  const LaneCount sent = sum_sent(outcome), received = sum_received(outcome);
  const double seconds = seconds_of(outcome);
  return text + fmt::format("{:<8} {:>10} {:>16} {:>16} {:>9.3f} {:>9.3f} {:>5}/{}\n", "total", "",
                            sent.bytes, received.bytes, gigabytes_per_second(sent.bytes, seconds),
                            gigabytes_per_second(received.bytes, seconds),
                            accounts.total.channels_up, accounts.total.channels);
}

std::string account_line(const Account& account, double seconds) {
  return fmt::format("{:<15} {:>16} {:>16} {:>9.3f} {:>9.3f} {:>5}/{:<3} {:>14} {:>8}\n",
                     account.name, account.moved.sent, account.moved.received,
                     gigabytes_per_second(account.moved.sent, seconds),
                     gigabytes_per_second(account.moved.received, seconds), account.channels_up,
                     account.channels, account.sent_again, account.failures);
}

std::string nic_lines(const NodeOutcome& outcome, const Accounts& accounts) {
  std::string text =
      fmt::format("\n{:<15} {:>16} {:>16} {:>9} {:>9} {:>9} {:>14} {:>8}\n", "NIC", "bytes sent",
                  "bytes received", "GB/s out", "GB/s in", "channels", "sent again", "failures");
  const double seconds = seconds_of(outcome);
  for (const Account& nic : accounts.nics) text += account_line(nic, seconds);
  return text + account_line(accounts.total, seconds);
}

std::string channel_line(const GpuOutcome& gpu, const ChannelReport& channel) {
  return fmt::format("{:>3} {:>3}  {:<31} {:>16} {:>16} {:>9.3f} {:>9.3f} {:<10} {:>14} {:>8}{}\n",
                     gpu.gpu, channel.index,
                     fmt::format("{} -> {}", channel.device, channel.peer_device),
                     channel.bytes_sent, channel.bytes_received,
                     gigabytes_per_second(channel.bytes_sent, gpu.seconds()),
                     gigabytes_per_second(channel.bytes_received, gpu.seconds()),
                     channel_state_name(channel.state), channel.bytes_sent_again, channel.failures,
                     channel.last_failure.empty() ? "" : "  " + channel.last_failure);
}

std::string channel_lines(const NodeOutcome& outcome) {
  std::string text =
      fmt::format("\n{:>3} {:>3}  {:<31} {:>16} {:>16} {:>9} {:>9} {:<10} {:>14} {:>8}\n", "GPU",
                  "CH", "here -> there", "bytes sent", "bytes received", "GB/s out", "GB/s in",
                  "state", "sent again", "failures");
  for (const GpuOutcome& gpu : outcome.gpus)
    for (const ChannelReport& channel : gpu.link.channels) text += channel_line(gpu, channel);
  return text;
}

std::string accounts_line(const Accounts& accounts) {
  if (!accounts.agree) return fmt::format("Accounts: DO NOT AGREE: {}\n", accounts.difference);
  if (accounts.total.channels == 0) return "Accounts: nothing to add up, no channel was made\n";
  const std::string program = accounts.exact
                                  ? "and by the program's own count"
                                  : fmt::format(
                                        "of which the program knows {} and {}: links failed in the "
                                        "middle",
                                        accounts.program.sent, accounts.program.received);
  const Balance& moved = accounts.total.moved;
  return fmt::format(
      "Accounts agree: {} bytes sent and {} received by {} channels, by {} NICs, by "
      "{} GPUs, {}\n",
      moved.sent, moved.received, accounts.total.channels, accounts.nics.size(),
      accounts.gpus.size(), program);
}

std::string kernel_lines(const NodeOutcome& outcome, const Accounts& accounts) {
  if (outcome.kernel.empty() || accounts.total.channels == 0) return "";
  const std::vector<std::string> differences = compare(accounts, outcome.kernel);
  std::string text;
  for (const std::string& line : differences) text += "Kernel's counters DIFFER: " + line + "\n";
  return differences.empty() ? "The kernel's counters of the NICs agree.\n" : text;
}

std::string verdict(const NodeOutcome& outcome, const Accounts& accounts) {
  const std::size_t all = outcome.gpus.size();
  std::string reasons;
  std::size_t good = 0;
  for (const GpuOutcome& gpu : outcome.gpus) {
    good += gpu.passed() ? 1 : 0;
    if (gpu.error)
      reasons += fmt::format("GPU {}: FAILED ({}): {}\n", gpu.gpu, code_name(gpu.error->code()),
                             gpu.error->message());
  }
  if (outcome.interrupted) reasons += "INTERRUPTED: less may have been moved than was asked for\n";
  const char* const word = passed(outcome, accounts)                              ? "PASSED"
                           : good == all && outcome.interrupted && accounts.agree ? "INTERRUPTED"
                                                                                  : "FAILED";
  return reasons + fmt::format("\n=== NODE {}: {} / {} GPUs ===\n", word, good, all);
}

}  // namespace

std::string table_of(const NodeOutcome& outcome, const Accounts& accounts) {
  std::string text = head(outcome) + gpu_lines(outcome, accounts);
  if (accounts.total.channels > 0) text += nic_lines(outcome, accounts) + channel_lines(outcome);
  return text + "\n" + accounts_line(accounts) + kernel_lines(outcome, accounts) +
         verdict(outcome, accounts);
}

}  // namespace hawser::node
