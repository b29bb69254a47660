// What is measured of links, by the public API alone.
#pragma once

#include <string>
#include <vector>

#include <hawser/engine.h>

namespace hawser::bench {

struct LinksOptions {
  std::string address = "127.0.0.1";
  int port = 20'000;
  std::vector<std::string> devices;
  int channels = 0;  // per pair of NICs
  double seconds = 3;
  double warm_up_seconds = 1;
  int every_ms = 0;  // a line so often; 0: one at the end
  std::uint64_t message_bytes = 64ULL << 20;
  int links = 64;  // idle ones
};

// Serves one link until it ends.
Status serve(const LinksOptions& options);
// Writes messages, two at a time, and prints what came of it: GB/s, and each NIC's share.
Status write(const LinksOptions& options);
// Two processes with so many links between them: what each channel costs while nothing moves.
Status idle(const LinksOptions& options);

}  // namespace hawser::bench
