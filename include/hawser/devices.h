// What this machine has: the devices a transport offers, and the GPUs.
#pragma once

#include <string>

#include <hawser/export.h>

namespace hawser {

struct DevicesOptions {
  std::string plugin;       // as EngineOptions::plugin
  std::string gpu_nic_map;  // "0=eth1,eth2;1=eth3": NICs for some GPUs, instead of the nearest
};

struct DevicesResult {
  bool ok = false;
  std::string text;  // a table for people; where not ok, the error
  std::string json;  // the same as one JSON object
};

// Calls into the plugin. The map of GPUs to NICs follows from where they hang on PCI, in sysfs
// (HAWSER_SYSFS_ROOT); an error says what is wrong with `gpu_nic_map`, or with the transport.
HAWSER_API DevicesResult describe_devices(const DevicesOptions& options);

}  // namespace hawser
