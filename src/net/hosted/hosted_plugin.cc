#include "net/hosted/hosted_plugin.h"

namespace hawser {

Result<std::shared_ptr<Buffer>> HostedPlugin::stand_in(const std::shared_ptr<Gpu>& gpu,
                                                       std::size_t bytes) const {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<Buffer>& known = stand_ins_[gpu.get()];
  if (auto buffer = known.lock(); buffer != nullptr && buffer->range().bytes >= bytes)
    return buffer;
  HAWSER_ASSIGN(Buffer made, gpu != nullptr ? Buffer::cuda(gpu, bytes) : Buffer::host(bytes));
  auto buffer = std::make_shared<Buffer>(std::move(made));
  known = buffer;
  return buffer;
}

}  // namespace hawser
