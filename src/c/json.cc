#include "c/json.h"

#include <nlohmann/json.hpp>

namespace hawser::capi {
namespace {

using nlohmann::json;

const char* state_name(ChannelState state) {
  switch (state) {
    case ChannelState::connecting:
      return "connecting";
    case ChannelState::up:
      return "up";
    case ChannelState::down:
      break;
  }
  return "down";
}

json channel_json(const ChannelReport& channel) {
  return {{"index", channel.index},
          {"device", channel.device},
          {"peer_device", channel.peer_device},
          {"state", state_name(channel.state)},
          {"bytes_sent", channel.bytes_sent},
          {"bytes_received", channel.bytes_received},
          {"bytes_sent_again", channel.bytes_sent_again},
          {"failures", channel.failures},
          {"last_failure", channel.last_failure},
          {"rate_bytes_per_s", channel.rate_bytes_per_s}};
}

// Names and reasons may come from the peer: what is no UTF-8 is replaced.
std::string dumped(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string report_json(const LinkReport& report) {
  json channels = json::array();
  for (const ChannelReport& channel : report.channels) channels.push_back(channel_json(channel));
  return dumped({{"peer", report.peer},
                 {"up", report.up},
                 {"reason", report.reason},
                 {"waiting_for_room", report.waiting_for_room},
                 {"channels", std::move(channels)}});
}

std::string names_json(const std::vector<std::string>& names) {
  return dumped(json(names));
}

}  // namespace hawser::capi
