// One way of using a TCP socket, to be compared with the plain one.
#pragma once

#include <cstddef>
#include <string>

#include "perf/outcome.h"

namespace hawser::bench {

// How bytes are moved.
enum class Calls { blocking, polling, epoll, uring, zerocopy };

enum class Pages { normal, huge };

enum class Quickack { kernel, at_start, after_each_receive };

// What is asked of each of the two sockets. 0 and "": left to the kernel.
struct SocketChoice {
  std::string congestion;
  int send_buffer_bytes = 0;  // before connecting, both of them
  int receive_buffer_bytes = 0;
  int notsent_lowat_bytes = 0;
  int busy_poll_us = 0;
  bool nodelay = true;
  Quickack quickack = Quickack::kernel;
};

// A value. The name is unique; the group holds variants of one idea. Both sides are alike.
struct Variant {
  std::string name;
  std::string group;
  Traffic traffic = Traffic::stream;
  Calls calls = Calls::blocking;
  SocketChoice socket;
  std::size_t piece_bytes = 0;  // at most so many per call; 0: as much as is left of a message
  Pages pages = Pages::normal;

  // Whether this differs from the baseline with messages of that size.
  bool applies_to(std::size_t message_bytes) const {
    return piece_bytes == 0 || piece_bytes < message_bytes;
  }
};

}  // namespace hawser::bench
