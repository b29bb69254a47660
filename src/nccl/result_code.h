// hawser's errors as NCCL's result codes.
#pragma once

#include "base/result.h"
#include "net/abi/types.h"

namespace hawser::plugin {

// What NCCL is to do about it: a remote error tears the communicator down and names the peer's
// side, a system error this machine's, an invalid argument the caller's.
abi::ResultCode result_code(Code code);

}  // namespace hawser::plugin
