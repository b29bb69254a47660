#include "validation/report.h"

#include <fmt/core.h>

namespace hawser {
namespace {

const char* role_name(Role role) {
  return role == Role::server ? "server" : "client";
}

std::string result_on_success(const Outcome& outcome) {
  if (outcome.subject.channels == 1)
    return "Single-process CAN use 1 channel on this NIC (multiple channels NOT TESTED)";
  const char* const how = outcome.first.serialized ? " (created one at a time)" : "";
  return fmt::format("Single-process CAN use multiple channels on same NIC{}", how);
}

std::string result_on_failure(const Verdict& verdict) {
  if (verdict.conclusion == Conclusion::conflict)
    return "Single-process CANNOT use multiple channels on same NIC";
  return fmt::format("NOT DETERMINED ({})", verdict.reason);
}

std::string serialized_finding(const PassOutcome& retry) {
  const char* const finding = retry.passed()            ? "works"
                              : retry.creation_failed() ? "fails too"
                                                        : "works, but not all transfers";
  return fmt::format("Serialized creation: {} ({} / {} channels passed)", finding,
                     retry.succeeded(), retry.channels.size());
}

// Said where the usual lines do not say it: in a conflict it passed, which is what they mean.
std::string lone_finding(const Outcome& outcome) {
  if (!outcome.alone) return fmt::format("not known ({})", outcome.alone_missing);
  return outcome.alone->passed() ? "passes" : "fails too";
}

}  // namespace

template <class... Args>
void Report::line(fmt::format_string<Args...> format, Args&&... args) const {
  line_(fmt::format(format, std::forward<Args>(args)...));
}

template <class... Args>
void Report::channel_line(std::size_t channel, fmt::format_string<Args...> format,
                          Args&&... args) const {
  line("[GPU {} CH {}] {}", subject_.gpu, channel,
       fmt::format(format, std::forward<Args>(args)...));
}

void Report::banner() const {
  line("=== Devmem Validation Test ===");
  line("Role: {}", role_name(subject_.role));
  line("GPU: {}", subject_.gpu);
  line("Dev: {} ({})", subject_.device_index, subject_.device.name);
  line("Channels: {} (all on same NIC)", subject_.channels);
  line("==============================");
  line("");
  line("TCPX devices: {}", subject_.device_count);
  line("Device {}: {} (speed={} Mbps)", subject_.device_index, subject_.device.name,
       subject_.device.speed_mbps);
  line("");
}

void Report::starting() const {
  for (int channel = 0; channel < subject_.channels; ++channel)
    channel_line(static_cast<std::size_t>(channel), "Starting {} on dev {}",
                 role_name(subject_.role), subject_.device_index);
}

void Report::creation(const PassOutcome& pass) const {
  for (std::size_t channel = 0; channel < pass.channels.size(); ++channel) {
    const ChannelOutcome& outcome = pass.channels[channel];
    if (outcome.created)
      channel_line(channel, "Channel created successfully ({})", role_name(subject_.role));
    if (!outcome.up && outcome.failure) failure_line(channel, *outcome.failure);
  }
}

void Report::transfers(const PassOutcome& pass) const {
  const char* const verb = subject_.role == Role::server ? "Recv" : "Send";
  for (std::size_t channel = 0; channel < pass.channels.size(); ++channel)
    if (pass.channels[channel].transferred)
      channel_line(channel, "{} OK ({} bytes)", verb, subject_.bytes);
  for (std::size_t channel = 0; channel < pass.channels.size(); ++channel) {
    const ChannelOutcome& outcome = pass.channels[channel];
    if (outcome.ok()) channel_line(channel, "Test PASSED");
    if (outcome.up && outcome.failure) failure_line(channel, *outcome.failure);
  }
}

void Report::failure_line(std::size_t channel, const ChannelFailure& failure) const {
  if (failure.operation == Operation::verify) {
    channel_line(channel, "{}", failure.error.message());
  } else {
    channel_line(channel, "{} failed", operation_name(failure.operation, subject_.role));
  }
  channel_line(channel, "Test FAILED");
}

void Report::verdict(const Outcome& outcome) const {
  const int all = subject_.channels;
  const int succeeded = outcome.first.succeeded();
  line("");
  line("=== TEST RESULTS ===");
  line("Success: {} / {}", succeeded, all);
  line("Failed:  {} / {}", all - succeeded, all);
  line("");
  const Verdict found = judge(outcome);
  found.conclusion == Conclusion::works ? passed(outcome, found) : failed(outcome, found);
}

void Report::passed(const Outcome& outcome, const Verdict& verdict) const {
  line("=== ALL CHANNELS PASSED ===");
  line("Result: {}", result_on_success(outcome));
  line("Devmem conflicts: {}", devmem_finding(outcome, verdict.conclusion));
  line("Proceed to Step 3: Full refactor");
}

void Report::failed(const Outcome& outcome, const Verdict& verdict) const {
  line("=== TEST FAILED ===");
  line("Result: {}", result_on_failure(verdict));
  line("Devmem conflicts: {}", devmem_finding(outcome, verdict.conclusion));
  line("Action: {}", verdict.next_step);
  if (verdict.wrong_bytes) line("Reason: {}", verdict.reason);
  if (outcome.retry) line("{}", serialized_finding(*outcome.retry));
  const bool tried = outcome.alone || !outcome.alone_missing.empty();
  if (tried && verdict.conclusion == Conclusion::undetermined)
    line("One channel alone: {}", lone_finding(outcome));
}

}  // namespace hawser
