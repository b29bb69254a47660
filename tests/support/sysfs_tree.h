// A sysfs of a machine that is described in a file of tests/data/topology.
#pragma once

#include <string>
#include <vector>

#include "machine/interfaces.h"
#include "support/temp_dir.h"

namespace hawser::test {

// Lives in a temporary folder. A line that cannot be read is a test failure.
class SysfsTree {
 public:
  explicit SysfsTree(const std::string& machine);  // "a3_high"

  std::string root() const { return dir_.path(); }
  // In the file's order, which the driver and the kernel are taken to have.
  const std::vector<std::string>& gpu_addresses() const { return gpus_; }  // "0000:04:00.0"
  std::vector<AddressRecord> interfaces() const;

 private:
  void add(const std::string& line);
  std::string add_function(const std::string& path, int numa_node);

  TempDir dir_;
  std::vector<std::string> gpus_, nics_;
};

}  // namespace hawser::test
