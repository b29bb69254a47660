// What this machine has: the devices a transport offers, and the GPUs.
#pragma once

#include <string>

#include <hawser/export.h>

namespace hawser {

struct DevicesResult {
  bool ok = false;
  std::string text;  // a table for people; where not ok, the error
  std::string json;  // the same as one JSON object
};

// `plugin` as in ValidateOptions. Calls into that plugin.
HAWSER_API DevicesResult describe_devices(const std::string& plugin);

}  // namespace hawser
