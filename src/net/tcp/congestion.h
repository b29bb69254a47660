// Which congestion control data sockets use.
#pragma once

#include <string>

#include "base/result.h"

namespace hawser::tcp {

// Of one socket; empty where it cannot be asked.
std::string congestion_of(int fd);
Status set_congestion(int fd, const std::string& name);

// What `wish` comes to on this machine. "auto": the kernel's default, unless that is a BBR, which
// paces each socket by timers and halves what a fast link carries (docs/performance.md); then
// cubic, or reno where this process may not choose cubic. "system": the kernel's default. Anything
// else must be offered here, or it is an error that names what is.
Result<std::string> choose_congestion(const std::string& wish);

}  // namespace hawser::tcp
