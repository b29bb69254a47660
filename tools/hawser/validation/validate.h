// The devmem validation: can ONE process use several channels on one NIC, created concurrently,
// with this transport, moving verified data to and from this memory?
#pragma once

#include "side/side.h"

namespace hawser {

// A step is waiting for the peer, creation, or each transfer. chunk_bytes: 0 is 512 KiB, or the
// transport's limit. Port of a channel = port_base + gpu * 8 + channel.
struct ValidateOptions : OneDeviceOptions {
  int channels = 4;                  // the server's count rules; the client uses what it is given
  std::uint64_t bytes = 16'777'216;  // per channel; the server's count rules
  int iterations = 1;                // transfers per channel; the server's count rules
  bool serialize_create = false;     // make the channels one at a time
};

// Runs one side, to its end; needs the other side somewhere. Returns within a small multiple of
// timeout_ms. One call at a time in a process. Calls into a hosted plugin, which may do
// anything: it may even end the process, and hawser then says in which call. The report comes line
// by line, the result's JSON is docs/report.md's.
SideResult validate(const ValidateOptions& options, const SideOutput& output);

}  // namespace hawser
