// The calls that need no engine.
#include <hawser/devices.h>
#include <hawser/parameters.h>
#include <hawser/version.h>

#include "c/options.h"
#include "c/text.h"

using namespace hawser::capi;

const char* hawser_version() {
  return hawser::version();
}

hawser_status_t hawser_set_log_level(const char* level) {
  return guarded([&] {
    return require(hawser::set_log_level(text_of(level)),
                   "the log level is none of error, warning, info and debug");
  });
}

hawser_status_t hawser_devices_json(const char* plugin, const char* gpu_nic_map, char** json) {
  return make_text(json, [&]() -> hawser::Result<std::string> {
    hawser::DevicesOptions options;
    options.plugin = text_of(plugin);
    options.gpu_nic_map = text_of(gpu_nic_map);
    hawser::DevicesResult found = hawser::describe_devices(options);
    if (!found.ok) return hawser::Error(hawser::Code::unavailable, std::move(found.text));
    return std::move(found.json);
  });
}

void hawser_free(void* text) {
  std::free(text);
}
