#include "nccl/result_code.h"

namespace hawser::plugin {

abi::ResultCode result_code(Code code) {
  switch (code) {
    case Code::peer:
    case Code::timeout:
    case Code::protocol:  // a peer that is no hawser, or a broken one
    case Code::data:
      return abi::kRemoteError;
    case Code::system:
    case Code::unavailable:
      return abi::kSystemError;
    case Code::invalid_argument:
      return abi::kInvalidArgument;
    case Code::plugin:
    case Code::cancelled:
    case Code::internal:
      return abi::kInternalError;
  }
  return abi::kInternalError;
}

}  // namespace hawser::plugin
