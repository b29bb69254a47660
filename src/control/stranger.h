// Who talks to us without speaking the protocol that he should.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace hawser::control {

// For a log line: "an HTTP request, not hawser", or an excerpt. By the first bytes, which begin no
// frame of the protocol that was expected.
std::string describe_stranger(std::span<const std::byte> bytes);

}  // namespace hawser::control
