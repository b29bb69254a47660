// What a run stands on: the transport, its device, and where the memory is.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "gpu/gpu.h"
#include "memory/buffer.h"
#include "net/hosted/call_journal.h"
#include "net/net.h"
#include "setup/transport.h"
#include "side/choices.h"

namespace hawser {

// The GPU for `choice`: null for host memory, and, with `automatic`, where there is no usable
// driver; `why` is told in that case.
Result<std::shared_ptr<Gpu>> open_gpu(MemoryChoice choice, int ordinal, std::string& why);

struct Environment {
  Transport transport;
  int device = 0;
  std::shared_ptr<Gpu> gpu;  // null where there is none, or none is wanted
  MemoryKind memory = MemoryKind::host;
  std::string memory_name;  // "host memory (no usable GPU: ...)", "GPU 0 (NVIDIA H200)"

  const NetDevice& net_device() const {
    return transport.net->devices()[static_cast<std::size_t>(device)];
  }
  Result<Buffer> allocate(std::size_t bytes) const;
  // As Transport has them, of this device.
  std::string unpack() const { return transport.unpack_text(device); }
  bool leaves_data_out() const { return transport.leaves_data_out(device); }
};

// What a user chose of it.
struct EnvironmentChoice {
  TransportChoice transport;
  std::string device = "0";  // by index or name
  MemoryChoice memory = MemoryChoice::automatic;
  int gpu = 0;
};

Result<Environment> open_environment(const EnvironmentChoice& choice,
                                     std::shared_ptr<CallJournal> journal);

}  // namespace hawser
