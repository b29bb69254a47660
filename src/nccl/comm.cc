#include "nccl/comm.h"

#include <fmt/core.h>

#include "net/abi/types.h"

namespace hawser::plugin {

Result<Registration*> PluginComm::register_memory(void* data, std::size_t bytes, int kind) {
  if (kind != abi::kHostPointer)
    return Error(Code::invalid_argument,
                 fmt::format("memory of kind {} cannot be registered: this transport takes host "
                             "memory only, and says so in its properties",
                             kind));
  return net_comm().register_memory({data, bytes, MemoryKind::host, -1});
}

}  // namespace hawser::plugin
