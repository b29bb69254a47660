#include "memory/copy_queue.h"

#include <fmt/core.h>

#include <cstring>

namespace hawser {
namespace {

class HostCopyQueue : public CopyQueue {
 public:
  Status copy(void* destination, const void* source, std::size_t bytes) override {
    if (bytes > 0) std::memcpy(destination, source, bytes);
    return {};
  }
  Result<std::uint64_t> mark() override { return ++marks_; }
  Result<bool> finished(std::uint64_t mark) override {
    if (mark == 0 || mark > marks_)
      return Error(Code::invalid_argument, fmt::format("copy mark {} was never made", mark));
    return true;
  }

 private:
  std::uint64_t marks_ = 0;
};

}  // namespace

std::unique_ptr<CopyQueue> make_host_copy_queue() {
  return std::make_unique<HostCopyQueue>();
}

}  // namespace hawser
