// LinkMemory that a link may use.
#pragma once

#include <hawser/engine.h>

#include "base/result.h"
#include "memory/buffer.h"

namespace hawser {

// A buffer and its registration, which ends first. Where that takes too long, the memory is left
// behind rather than freed under somebody who still writes to it. Move-only; not thread-safe.
class LinkMemory {
 public:
  static Result<LinkMemory> make(Engine& engine, Buffer buffer, Rights rights);
  ~LinkMemory();
  LinkMemory(LinkMemory&& other) noexcept = default;
  LinkMemory& operator=(LinkMemory&& other) = delete;

  Buffer& buffer() { return *buffer_; }
  const Region& region() const { return region_; }
  std::byte* at(std::size_t offset) const { return buffer_->range().at(offset); }

 private:
  LinkMemory(Buffer buffer, Region region)
      : buffer_(std::make_unique<Buffer>(std::move(buffer))), region_(std::move(region)) {}

  std::unique_ptr<Buffer> buffer_;
  Region region_;
};

}  // namespace hawser
