// Which Nets the conformance suite runs over.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/net.h"

namespace hawser {
class Gpu;
}

namespace hawser::test {

struct NetUnderTest {
  std::string name;  // of the test's parameter: letters, digits and underscores
  std::function<Result<std::unique_ptr<Net>>()> make;
  std::function<std::shared_ptr<Gpu>()> gpu = nullptr;  // that its comms are for, once made
  bool optional = false;          // where make() says Code::unavailable, the tests are skipped
  bool once_per_process = false;  // it may be made only once: all tests of a process share it
};

// The one place where they are registered: a line each, in nets.cc.
const std::vector<NetUnderTest>& nets_under_test();

}  // namespace hawser::test
