#include "channel/staging.h"

namespace hawser {

Result<StagingRing> StagingRing::create(std::shared_ptr<Gpu> gpu, std::size_t slots,
                                        std::size_t slot_bytes) {
  const std::size_t page_slot = (slot_bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  HAWSER_ASSIGN(Buffer buffer, Buffer::pinned(std::move(gpu), slots * page_slot));
  return StagingRing(std::move(buffer), slots, page_slot);
}

std::byte* StagingRing::slot(std::size_t position) const {
  return range().at(position % slots_ * slot_bytes_);
}

}  // namespace hawser
