#include "copy_ring.h"

namespace emu {

CopyRing::CopyRing(const Cuda& cuda, CudaContext context, std::size_t windows,
                   std::size_t window_bytes)
    : cuda_(cuda), context_(context), window_bytes_(window_bytes), events_(windows, nullptr) {}

std::unique_ptr<CopyRing> CopyRing::create(const Cuda& cuda, CudaContext context,
                                           std::size_t windows, std::size_t window_bytes) {
  std::unique_ptr<CopyRing> ring(new CopyRing(cuda, context, windows, window_bytes));
  return ring->open() ? std::move(ring) : nullptr;
}

bool CopyRing::open() {
  void* memory = nullptr;
  if (cuda_.allocate_mapped(context_, &memory, events_.size() * window_bytes_) != 0) return false;
  memory_ = static_cast<std::byte*>(memory);
  if (cuda_.make_stream(context_, &stream_) != 0) return false;
  for (CudaEvent& event : events_)
    if (cuda_.make_event(context_, &event) != 0) return false;
  return true;
}

CopyRing::~CopyRing() {
  if (stream_ != nullptr) {
    cuda_.synchronize(context_, stream_);
    cuda_.destroy_stream(context_, stream_);
  }
  for (CudaEvent event : events_)
    if (event != nullptr) cuda_.destroy_event(context_, event);
  if (memory_ != nullptr) cuda_.free_mapped(context_, memory_);
}

bool CopyRing::mark(int result) {
  if (result != 0) return false;
  if (cuda_.record(context_, events_[started_ % events_.size()], stream_) != 0) return false;
  ++started_;
  return true;
}

bool CopyRing::to_device(void* device, std::size_t bytes) {
  return mark(cuda_.start_to_device(context_, device, next(), bytes, stream_));
}

bool CopyRing::from_device(const void* device, std::size_t bytes) {
  return mark(cuda_.start_to_host(context_, next(), device, bytes, stream_));
}

bool CopyRing::poll() {
  while (finished_ != started_) {
    const int result = cuda_.query(context_, events_[finished_ % events_.size()]);
    if (result == kCudaNotReady) return true;
    if (result != 0) return false;
    ++finished_;
  }
  return true;
}

}  // namespace emu
