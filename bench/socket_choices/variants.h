// The table of everything that is measured.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "socket_choices/variant.h"

namespace hawser::bench {

// What each variant is compared with: blocking calls for streams, polling for ping-pong; no
// socket option but TCP_NODELAY and the congestion control.
Variant baseline(Traffic traffic, const std::string& congestion);

// All of them, in the order of the report; the two baselines themselves come first, compared with
// themselves, to show what the machine's noise is worth. `congestion` is everyone's but for the
// variants of that group.
std::vector<Variant> all_variants(const std::string& congestion);

// Those whose name or group is among `only`, which is separated by commas; "": all.
// Code::invalid_argument names what there is.
Result<std::vector<Variant>> select(const std::vector<Variant>& variants, const std::string& only);

}  // namespace hawser::bench
