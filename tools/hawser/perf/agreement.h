// What the client asks for, and what the server makes of it.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "bootstrap/wire.h"
#include "perf/perf.h"
#include "side/environment.h"

namespace hawser {

// What is measured, as the text of a Hello or a Plan about the transport has it.
PerfOver over_of(std::string_view transport);
// `options` are completed() ones, with a number of channels.
wire::Hello hello_of(const PerfOptions& options, const Environment& environment);
wire::PerfSetup setup_of(const PerfOptions& options, const Environment& environment);
// The server's answer; an error is what the client is refused with.
Result<wire::Plan> answer(const wire::Hello& said, const PerfOptions& options,
                          const Environment& environment);
// Whether a server allocates so much for a client: buffers of so many bytes, both ways.
Status check_memory(std::uint64_t bytes, std::uint32_t channels, PerfOver over,
                    std::uint32_t bare_sockets);
// Whether the answer is one to what was asked.
Status check_answer(const wire::Hello& asked, const wire::Plan& answered);

}  // namespace hawser
