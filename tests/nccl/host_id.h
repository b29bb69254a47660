// A host identity for each copy of libnccl in this process.
#pragma once

#include <string>

namespace nccl_pair {

// From now on the library of that path reads NCCL_HOSTID=`id`, and with it takes itself for another
// machine: both ranks may use one GPU, and nothing but the network connects them. Call it before
// the library is initialised, at most kMaxHostIds times.
inline constexpr int kMaxHostIds = 2;
void set_host_id(const std::string& library_path, const std::string& id);

}  // namespace nccl_pair
