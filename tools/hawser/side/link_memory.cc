#include "side/link_memory.h"

#include "base/log.h"

namespace hawser {
namespace {

constexpr int kDeregisterTimeoutMs = 5'000;

}  // namespace

Result<LinkMemory> LinkMemory::make(Engine& engine, Buffer buffer, Rights rights) {
  const MemoryRange& range = buffer.range();
  HAWSER_ASSIGN(Region region, engine.register_memory(range.data, range.bytes, rights));
  return LinkMemory(std::move(buffer), std::move(region));
}

LinkMemory::~LinkMemory() {
  if (!buffer_) return;
  const Status ended = region_.deregister(InFlight::fail, kDeregisterTimeoutMs);
  if (ended.ok()) return;
  log_warning("{} bytes are left behind, since a transfer still uses them: {}",
              buffer_->range().bytes, ended.error().message());
  static_cast<void>(buffer_.release());
}

}  // namespace hawser
