#include "validation/report.h"

#include <fmt/core.h>

namespace hawser {
namespace {

const char* role_name(Role role) {
  return role == Role::server ? "server" : "client";
}

// How the bytes travelled, for the places where the page speaks of devmem.
std::string path_text(const Subject& subject) {
  const bool staged =
      subject.memory == MemoryKind::cuda && !subject.device.capabilities.cuda_pointers;
  const char* const memory = subject.memory == MemoryKind::host ? "host memory"
                             : staged ? "cuda memory staged through host memory"
                                      : "cuda memory";
  const char* const place = subject.isolated ? " in a process of its own (isolated)" : "";
  switch (subject.device.devmem) {
    case Devmem::real:
      return fmt::format("{} over {}{}", memory, subject.transport, place);
    case Devmem::emulated:
      return fmt::format("{} over emulated TCPX {}{}", memory, subject.transport, place);
    case Devmem::none:
      break;
  }
  return fmt::format("{} over {}{}, not TCPX", memory, subject.transport, place);
}

// An isolated plugin gets host memory, whatever the user's is.
bool tests_devmem(const Subject& subject) {
  return subject.memory == MemoryKind::cuda && subject.device.devmem == Devmem::real &&
         !subject.isolated;
}

std::string result_on_success(const Outcome& outcome) {
  if (outcome.subject.channels == 1)
    return "Single-process CAN use 1 channel on this NIC (multiple channels NOT TESTED)";
  const char* const how = outcome.first.serialized ? " (created one at a time)" : "";
  return fmt::format("Single-process CAN use multiple channels on same NIC{}", how);
}

std::string result_on_failure(const Outcome& outcome) {
  if (outcome.first.peer_lost)
    return fmt::format("NOT DETERMINED ({})", outcome.first.peer_lost_reason);
  if (outcome.subject.channels == 1) return "Single-process CANNOT use a channel on this NIC";
  return "Single-process CANNOT use multiple channels on same NIC";
}

std::string next_action(const Outcome& outcome) {
  if (outcome.first.peer_lost)
    return "Read the other side's report and log, then run both sides again";
  if (outcome.subject.device.devmem != Devmem::none) return "Contact Google, reconsider approach";
  return "Read each failed channel's reason on stderr; 'hawser devices' shows what this NIC offers";
}

std::string serialized_finding(const PassOutcome& retry) {
  const std::size_t all = retry.channels.size();
  return fmt::format("Serialized creation: {} ({} / {} channels passed)",
                     retry.passed() ? "works" : "fails too", retry.succeeded(), all);
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
  outcome.first.passed() ? passed(outcome) : failed(outcome);
}

void Report::passed(const Outcome& outcome) const {
  line("=== ALL CHANNELS PASSED ===");
  line("Result: {}", result_on_success(outcome));
  line("Devmem conflicts: {}", devmem_finding(subject_, true));
  line("Proceed to Step 3: Full refactor");
}

void Report::failed(const Outcome& outcome) const {
  line("=== TEST FAILED ===");
  line("Result: {}", result_on_failure(outcome));
  line("Devmem conflicts: {}",
       outcome.first.peer_lost ? "NOT DETERMINED" : devmem_finding(subject_, false));
  line("Action: {}", next_action(outcome));
  if (outcome.retry) line("{}", serialized_finding(*outcome.retry));
}

std::string devmem_finding(const Subject& subject, bool passed) {
  if (!tests_devmem(subject)) return fmt::format("NOT TESTED ({})", path_text(subject));
  return passed ? "RESOLVED" : "STILL PRESENT";
}

}  // namespace hawser
