#include <nlohmann/json.hpp>

#include "validation/report.h"

namespace hawser {
namespace {

using nlohmann::json;

json failure_json(const ChannelFailure& failure, Role role) {
  return {{"operation", operation_name(failure.operation, role)},
          {"kind", code_name(failure.error.code())},
          {"reason", failure.error.message()}};
}

json channel_json(const ChannelOutcome& channel, Role role, std::size_t index) {
  json object{{"channel", index},
              {"passed", channel.ok()},
              {"created", channel.created},
              {"created_on_both_sides", channel.up},
              {"transferred", channel.transferred}};
  const Role other = role == Role::server ? Role::client : Role::server;
  if (channel.failure) object["failure"] = failure_json(*channel.failure, role);
  if (channel.peer_failure) object["peer_failure"] = failure_json(*channel.peer_failure, other);
  return object;
}

json pass_json(const PassOutcome& pass, Role role) {
  json channels = json::array();
  for (std::size_t i = 0; i < pass.channels.size(); ++i)
    channels.push_back(channel_json(pass.channels[i], role, i));
  json object{{"creation", pass.serialized ? "serialized" : "concurrent"},
              {"passed", pass.passed()},
              {"channels_passed", pass.succeeded()},
              {"channels", channels}};
  if (pass.peer_lost) object["peer_lost"] = pass.peer_lost_reason;
  return object;
}

// What one channel alone did, after several had failed.
json lone_json(const Outcome& outcome) {
  if (outcome.alone) return pass_json(*outcome.alone, outcome.subject.role);
  return {{"not_known", outcome.alone_missing}};
}

void put_verdict(const Outcome& outcome, json& object) {
  const Verdict verdict = judge(outcome);
  object["passed"] = verdict.conclusion == Conclusion::works;
  object["verdict"] = conclusion_name(verdict.conclusion);
  object["devmem_conflicts"] = devmem_finding(outcome, verdict.conclusion);
  if (verdict.conclusion == Conclusion::works) return;
  object["reason"] = verdict.reason;
  object["next_step"] = verdict.next_step;
}

json subject_json(const Subject& subject) {
  return {{"role", subject.role == Role::server ? "server" : "client"},
          {"gpu", subject.gpu},
          {"device",
           {{"index", subject.device_index},
            {"name", subject.device.name},
            {"address", subject.device.address},
            {"pci_path", subject.device.pci_path},
            {"speed_mbps", subject.device.speed_mbps}}},
          {"channels", subject.channels},
          {"bytes_per_channel", subject.bytes},
          {"iterations", subject.iterations},
          {"chunk_bytes", subject.chunk_bytes},
          {"memory", memory_kind_name(subject.memory)},
          {"memory_name", subject.memory_name},
          {"unpack", subject.unpack},
          {"one_creation_at_a_time", subject.device.capabilities.one_creation_at_a_time},
          {"transport", subject.transport},
          {"transport_description", subject.transport_description},
          {"isolated", subject.isolated}};
}

}  // namespace

std::string outcome_json(const Outcome& outcome) {
  const Role role = outcome.subject.role;
  json object = subject_json(outcome.subject);
  put_verdict(outcome, object);
  object["pass"] = pass_json(outcome.first, role);
  if (outcome.retry) object["serialized_retry"] = pass_json(*outcome.retry, role);
  if (outcome.alone || !outcome.alone_missing.empty()) object["one_channel"] = lone_json(outcome);
  // Peer and plugin texts may hold bytes that are not UTF-8: they are replaced, never thrown about.
  return object.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace hawser
