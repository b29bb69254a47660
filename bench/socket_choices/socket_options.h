// Asks the kernel for what a variant wants of a socket.
#pragma once

#include <string>

#include "base/result.h"
#include "socket_choices/variant.h"

namespace hawser::bench {

// Before connect() or listen(), since the buffers decide about the window's scale.
// Code::unavailable: this machine refuses it, and the message says what and why.
Status apply(int socket, const SocketChoice& choice);

// Acknowledge at once; the kernel goes back to its own ways by and by.
Status ask_for_quickack(int socket);

// Blocking calls come back after this long without having done anything, so that their caller can
// look at the clock.
Status set_slice(int socket, int slice_ms);

// What the kernel made of the buffers that were asked for; empty where none were.
std::string effective(int socket, const SocketChoice& choice);

}  // namespace hawser::bench
