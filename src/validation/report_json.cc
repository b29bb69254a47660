#include <nlohmann/json.hpp>

#include "validation/report.h"

namespace hawser {
namespace {

using nlohmann::json;

json channel_json(const ChannelOutcome& channel, Role role, std::size_t index) {
  json object{{"channel", index},
              {"passed", channel.ok()},
              {"created", channel.created},
              {"created_on_both_sides", channel.up},
              {"transferred", channel.transferred}};
  if (channel.failure)
    object["failure"] = {{"operation", operation_name(channel.failure->operation, role)},
                         {"kind", code_name(channel.failure->error.code())},
                         {"reason", channel.failure->error.message()}};
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
          {"transport", subject.transport},
          {"transport_description", subject.transport_description},
          {"isolated", subject.isolated}};
}

}  // namespace

std::string outcome_json(const Outcome& outcome) {
  const Role role = outcome.subject.role;
  json object = subject_json(outcome.subject);
  object["passed"] = outcome.first.passed();
  object["devmem_conflicts"] = devmem_finding(outcome.subject, outcome.first.passed());
  object["pass"] = pass_json(outcome.first, role);
  if (outcome.retry) object["serialized_retry"] = pass_json(*outcome.retry, role);
  // Peer and plugin texts may hold bytes that are not UTF-8: they are replaced, never thrown about.
  return object.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace hawser
