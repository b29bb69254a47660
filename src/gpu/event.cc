#include "gpu/event.h"

#include <fmt/core.h>

#include <utility>

namespace hawser {
namespace {

constexpr unsigned kUserEventFlags = 2;  // CU_EVENT_DISABLE_TIMING
constexpr int kNotCapturing = 0;

Status check_not_capturing(const Gpu& gpu, CUstream stream) {
  const CudaDriver& driver = gpu.driver();
  int capturing = kNotCapturing;
  HAWSER_TRY(
      check_cuda(driver, driver.cuStreamIsCapturing(stream, &capturing), "cuStreamIsCapturing"));
  if (capturing == kNotCapturing) return {};
  return Error(Code::invalid_argument,
               fmt::format("a stream of {} is being captured into a CUDA graph: transfers cannot "
                           "become part of one; submit them outside the capture",
                           gpu.label()));
}

}  // namespace

Result<std::shared_ptr<GpuEvent>> GpuEvent::record(std::shared_ptr<Gpu> gpu, void* stream) {
  HAWSER_TRY(gpu->make_current());
  const CudaDriver& driver = gpu->driver();
  const auto handle = static_cast<CUstream>(stream);
  HAWSER_TRY(check_not_capturing(*gpu, handle));
  CUevent event = nullptr;
  HAWSER_TRY(check_cuda(driver, driver.cuEventCreate(&event, kUserEventFlags), "cuEventCreate"));
  auto made = std::shared_ptr<GpuEvent>(new GpuEvent(std::move(gpu), event, stream));
  HAWSER_TRY(check_cuda(driver, driver.cuEventRecord(event, handle), "cuEventRecord"));
  return made;
}

GpuEvent::GpuEvent(std::shared_ptr<Gpu> gpu, CUevent event, const void* stream)
    : gpu_(std::move(gpu)), event_(event), stream_(stream) {}

Result<bool> GpuEvent::finished() const {
  HAWSER_TRY(gpu_->make_current());
  const CUresult result = gpu_->driver().cuEventQuery(event_);
  if (result == kCudaNotReady) return false;
  HAWSER_TRY(check_cuda(gpu_->driver(), result, "cuEventQuery"));
  return true;
}

GpuEvent::~GpuEvent() {
  gpu_->driver().cuEventDestroy(event_);
}

}  // namespace hawser
