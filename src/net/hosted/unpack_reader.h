// Reads the metadata by which a TCPX-like plugin says where a receive has landed.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "net/abi/types.h"
#include "net/abi/unpack.h"
#include "net/net.h"

namespace hawser {

class Gpu;

// Of one receive comm; borrows the plugin's shared memory, which lives as long as that comm.
// Not thread-safe. Believes nothing it reads: counts are bounded here, fragments by the caller.
class UnpackReader {
 public:
  // Reads the handle, from the GPU's memory where the driver knows it as such. Without a GPU it
  // must lie in host memory, which an emulation promises and a real plugin does not.
  static Result<UnpackReader> open(const abi::DeviceHandle& handle, const Gpu* gpu, bool real);

  const std::byte* bounce() const { return pool_.bounce; }
  MemoryKind bounce_kind() const { return pool_.bounce_kind; }
  std::size_t pool_bytes() const { return pool_.pool_bytes; }  // 0: not known

  // The fragments of the comm's n-th receive, counted from 0, after test() said done.
  Result<Fragments> fragments(std::uint64_t sequence) const;

 private:
  UnpackReader() = default;

  abi::NetUnpackMeta* meta_ = nullptr;
  Fragments pool_;  // what is the same for all receives
};

}  // namespace hawser
