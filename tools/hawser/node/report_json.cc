#include <nlohmann/json.hpp>

#include <hawser/version.h>

#include "node/kernel_counts.h"
#include "node/report.h"

namespace hawser::node {
namespace {

using nlohmann::json;

json channel_json(const ChannelReport& channel, double seconds) {
  json object{{"channel", channel.index},
              {"device", channel.device},
              {"peer_device", channel.peer_device},
              {"state", channel_state_name(channel.state)},
              {"bytes_sent", channel.bytes_sent},
              {"bytes_received", channel.bytes_received},
              {"bytes_sent_again", channel.bytes_sent_again},
              {"gb_per_s_out", gigabytes_per_second(channel.bytes_sent, seconds)},
              {"gb_per_s_in", gigabytes_per_second(channel.bytes_received, seconds)},
              {"failures", channel.failures}};
  if (!channel.last_failure.empty()) object["last_failure"] = channel.last_failure;
  return object;
}

json account_json(const Account& account) {
  return {{"bytes_sent", account.moved.sent},       {"bytes_received", account.moved.received},
          {"bytes_sent_again", account.sent_again}, {"channels", account.channels},
          {"channels_up", account.channels_up},     {"failures", account.failures}};
}

json way_json(const LaneCount& count, double seconds) {
  return {{"iterations", count.iterations},
          {"bytes", count.bytes},
          {"gb_per_s", gigabytes_per_second(count.bytes, seconds)}};
}

json link_json(const GpuOutcome& gpu, const Account& account) {
  json object = account_json(account);
  object["peer"] = gpu.link.peer;
  json list = json::array();
  for (const ChannelReport& channel : gpu.link.channels)
    list.push_back(channel_json(channel, gpu.seconds()));
  object["channel_list"] = list;
  if (!gpu.link.up && !gpu.link.reason.empty()) object["down"] = gpu.link.reason;
  return object;
}

json gpu_json(const GpuOutcome& gpu, const Account& account) {
  json object{{"gpu", gpu.gpu},
              {"name", gpu.name},
              {"met", gpu.met},
              {"passed", gpu.passed()},
              {"start_s", gpu.start_s},
              {"end_s", gpu.end_s},
              {"sent", way_json(gpu.sent, gpu.seconds())},
              {"received", way_json(gpu.received, gpu.seconds())},
              {"link", link_json(gpu, account)}};
  if (gpu.error)
    object["failure"] = {{"kind", code_name(gpu.error->code())},
                         {"reason", gpu.error->message()},
                         {"there", gpu.error_there}};
  return object;
}

json terms_json(const Terms& terms) {
  json object{{"gpus", terms.gpus},
              {"bytes", terms.bytes},
              {"direction", terms.both_ways ? "both" : "forward"},
              {"verified", terms.verify}};
  if (terms.iterations != 0)
    object["iterations"] = terms.iterations;
  else
    object["duration_ms"] = terms.duration_ms;
  return object;
}

json accounts_json(const Accounts& accounts) {
  Balance gpus, nics;
  for (const Account& account : accounts.gpus) gpus += account.moved;
  for (const Account& account : accounts.nics) nics += account.moved;
  const auto balance = [](const Balance& moved) {
    return json{{"bytes_sent", moved.sent}, {"bytes_received", moved.received}};
  };
  json object{{"agree", accounts.agree},
              {"exact", accounts.exact},
              {"channels", balance(accounts.total.moved)},
              {"nics", balance(nics)},
              {"gpus", balance(gpus)},
              {"program", balance(accounts.program)}};
  if (!accounts.agree) object["difference"] = accounts.difference;
  return object;
}

json nics_json(const NodeOutcome& outcome, const Accounts& accounts, double seconds) {
  json list = json::array();
  for (const Account& nic : accounts.nics) {
    json object = account_json(nic);
    if (const auto kernel = outcome.kernel.find(nic.name); kernel != outcome.kernel.end())
      object["kernel"] = {{"bytes_sent", kernel->second.sent_bytes},
                          {"bytes_received", kernel->second.received_bytes}};
    object["name"] = nic.name;
    object["gb_per_s_out"] = gigabytes_per_second(nic.moved.sent, seconds);
    object["gb_per_s_in"] = gigabytes_per_second(nic.moved.received, seconds);
    list.push_back(object);
  }
  return list;
}

}  // namespace

std::string json_of(const NodeOutcome& outcome, const Accounts& accounts) {
  const double seconds = seconds_of(outcome);
  json gpus = json::array();
  for (std::size_t i = 0; i < outcome.gpus.size(); ++i)
    gpus.push_back(gpu_json(outcome.gpus[i], accounts.gpus[i]));
  json total = account_json(accounts.total);
  total["seconds"] = seconds;
  total["sent"] = way_json(sum_sent(outcome), seconds);
  total["received"] = way_json(sum_received(outcome), seconds);
  json object{{"hawser", version()},
              {"role", role_name(outcome.role)},
              {"host", outcome.host},
              {"devices", outcome.devices},
              {"played", outcome.played},
              {"transport", outcome.transport},
              {"passed", passed(outcome, accounts)},
              {"interrupted", outcome.interrupted},
              {"gpus", gpus},
              {"nics", nics_json(outcome, accounts, seconds)},
              {"total", total},
              {"accounts", accounts_json(accounts)},
              {"kernel_differences", compare(accounts, outcome.kernel)}};
  if (!outcome.peer_host.empty()) {
    object["peer"] = {{"host", outcome.peer_host}, {"memory", outcome.peer_memory}};
    object["terms"] = terms_json(outcome.terms);
  }
  // Texts of the peer may hold bytes that are not UTF-8: they are replaced, never thrown about.
  return object.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace hawser::node
