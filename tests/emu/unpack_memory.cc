#include "receive_comm.h"

namespace emu {

std::unique_ptr<UnpackMemory> UnpackMemory::create(Place place, void* bounce) {
  auto* meta = static_cast<UnpackMeta*>(place.allocate_mapped(sizeof(UnpackMeta)));
  void* handle = place.allocate_device(sizeof(UnpackHandle));
  const UnpackHandle contents{meta, bounce, 0};
  if (meta != nullptr && handle != nullptr && place.write(handle, &contents, sizeof contents) &&
      place.settle())
    return std::unique_ptr<UnpackMemory>(new UnpackMemory(place, meta, handle));
  place.free_mapped(meta, sizeof(UnpackMeta));
  place.free_device(handle, sizeof(UnpackHandle));
  return nullptr;
}

UnpackMemory::~UnpackMemory() {
  place_.free_mapped(meta_, sizeof(UnpackMeta));
  place_.free_device(handle_, sizeof(UnpackHandle));
}

void UnpackMemory::describe(DeviceHandle& out) const {
  out = {kNetDeviceUnpack, kNetDeviceVersion, handle_, sizeof(UnpackHandle), 1};
}

}  // namespace emu
