#include "gpu/gpu.h"

#include <fmt/core.h>

#include <cctype>
#include <utility>

#include "base/log.h"
#include "gpu/block_kernel.h"
#include "gpu/unpack_kernel.h"

namespace hawser {
namespace {

// From the driver API's documentation.
constexpr int kAttributeComputeMajor = 75;
constexpr int kAttributeComputeMinor = 76;
constexpr int kAttributeDmaBufSupported = 124;
constexpr int kAttributeRemoteFlushOptions = 117;
constexpr int kAttributeRemoteWritesOrdering = 118;
constexpr int kFlushOptionHost = 1;
constexpr int kOrderedForOwner = 100;
constexpr int kFlushTargetContext = 0;
constexpr int kFlushScopeOwner = 100;
constexpr int kPointerMemoryType = 2;
constexpr int kPointerDeviceOrdinal = 9;
constexpr unsigned kMemoryTypeHost = 1;
constexpr unsigned kMemoryTypeDevice = 2;
constexpr unsigned kHostAllocPortable = 1;
constexpr unsigned kHostAllocDeviceMap = 2;

// A driver older than the attribute does not know it: then the answer is no.
int attribute_or_zero(const CudaDriver& driver, int attribute, CUdevice device) {
  int value = 0;
  return driver.cuDeviceGetAttribute(&value, attribute, device) == kCudaSuccess ? value : 0;
}

Result<std::string> pci_bus_id(const CudaDriver& driver, CUdevice device) {
  char id[32] = "";
  HAWSER_TRY(
      check_cuda(driver, driver.cuDeviceGetPCIBusId(id, sizeof id, device), "cuDeviceGetPCIBusId"));
  std::string lower(id);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

Result<GpuInfo> describe(const CudaDriver& driver, int ordinal, CUdevice device) {
  GpuInfo info;
  info.ordinal = ordinal;
  char name[256] = "";
  HAWSER_TRY(
      check_cuda(driver, driver.cuDeviceGetName(name, sizeof name, device), "cuDeviceGetName"));
  info.name = name;
  HAWSER_TRY(
      check_cuda(driver, driver.cuDeviceTotalMem(&info.memory_bytes, device), "cuDeviceTotalMem"));
  HAWSER_ASSIGN(info.pci_bus_id, pci_bus_id(driver, device));
  info.compute_major = attribute_or_zero(driver, kAttributeComputeMajor, device);
  info.compute_minor = attribute_or_zero(driver, kAttributeComputeMinor, device);
  info.flushes_remote_writes =
      attribute_or_zero(driver, kAttributeRemoteWritesOrdering, device) < kOrderedForOwner &&
      (attribute_or_zero(driver, kAttributeRemoteFlushOptions, device) & kFlushOptionHost) != 0;
  info.dma_buf = attribute_or_zero(driver, kAttributeDmaBufSupported, device) != 0;
  return info;
}

Result<int> count_gpus(const CudaDriver& driver) {
  int count = 0;
  HAWSER_TRY(check_cuda(driver, driver.cuDeviceGetCount(&count), "cuDeviceGetCount"));
  return count;
}

Status check_ordinal(const CudaDriver& driver, int ordinal) {
  HAWSER_ASSIGN(const int count, count_gpus(driver));
  if (ordinal >= 0 && ordinal < count) return {};
  return Error(Code::unavailable,
               count == 1
                   ? fmt::format("no GPU {}: the driver shows only GPU 0", ordinal)
                   : fmt::format("no GPU {}: the driver shows GPU 0 to {}", ordinal, count - 1));
}

bool has_memory_type(const CudaDriver& driver, const void* address, unsigned wanted) {
  unsigned type = 0;
  return driver.cuPointerGetAttribute(&type, kPointerMemoryType, device_address(address)) ==
             kCudaSuccess &&
         type == wanted;
}

}  // namespace

Result<std::vector<GpuInfo>> list_gpus(const CudaDriver& driver) {
  HAWSER_ASSIGN(const int count, count_gpus(driver));
  std::vector<GpuInfo> gpus;
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    CUdevice device = 0;
    HAWSER_TRY(check_cuda(driver, driver.cuDeviceGet(&device, ordinal), "cuDeviceGet"));
    HAWSER_ASSIGN(GpuInfo info, describe(driver, ordinal, device));
    gpus.push_back(std::move(info));
  }
  return gpus;
}

bool is_device_pointer(const CudaDriver& driver, const void* address) {
  return has_memory_type(driver, address, kMemoryTypeDevice);
}

bool is_pinned_pointer(const CudaDriver& driver, const void* address) {
  return has_memory_type(driver, address, kMemoryTypeHost);
}

std::optional<int> gpu_of_pointer(const CudaDriver& driver, const void* address) {
  int ordinal = 0;
  if (!is_device_pointer(driver, address) ||
      driver.cuPointerGetAttribute(&ordinal, kPointerDeviceOrdinal, device_address(address)) !=
          kCudaSuccess)
    return std::nullopt;
  return ordinal;
}

Result<std::shared_ptr<Gpu>> Gpu::open(std::shared_ptr<const CudaDriver> driver, int ordinal) {
  HAWSER_TRY(check_ordinal(*driver, ordinal));
  CUdevice device = 0;
  HAWSER_TRY(check_cuda(*driver, driver->cuDeviceGet(&device, ordinal), "cuDeviceGet"));
  HAWSER_ASSIGN(GpuInfo info, describe(*driver, ordinal, device));
  CUcontext context = nullptr;
  const auto retained = check_cuda(*driver, driver->cuDevicePrimaryCtxRetain(&context, device),
                                   "cuDevicePrimaryCtxRetain");
  if (!retained.ok())
    return retained.error().within(fmt::format("opening GPU {} ({})", ordinal, info.name));
  return std::shared_ptr<Gpu>(new Gpu(std::move(driver), std::move(info), device, context));
}

Gpu::Gpu(std::shared_ptr<const CudaDriver> driver, GpuInfo info, CUdevice device, CUcontext context)
    : driver_(std::move(driver)), info_(std::move(info)), device_(device), context_(context) {}

Gpu::~Gpu() {
  if ((block_kernel_.loaded() || unpack_kernel_.loaded()) && make_current().ok()) {
    block_kernel_.unload();
    unpack_kernel_.unload();
  }
  const CUresult result = driver_->cuDevicePrimaryCtxRelease(device_);
  if (result == kCudaSuccess || result == kCudaDeinitialized) return;  // the process is exiting
  log_warning("closing {}: {}", label(),
              check_cuda(*driver_, result, "cuDevicePrimaryCtxRelease").error().message());
}

std::string Gpu::label() const {
  return fmt::format("GPU {} ({})", info_.ordinal, info_.name);
}

Status Gpu::make_current() const {
  return check_cuda(*driver_, driver_->cuCtxSetCurrent(context_), "cuCtxSetCurrent");
}

template <class Which>
Result<std::unique_ptr<Which>> Gpu::load_kernel(const char* purpose,
                                                const char* consequence) const {
  auto loaded = Which::load(*driver_);
  if (loaded.ok()) return loaded;
  Error error =
      loaded.error().within(fmt::format("loading the kernel that {} on {}", purpose, label()));
  log_warning("{}; {}", error.message(), consequence);
  return error;
}

Result<const BlockKernel*> Gpu::block_kernel() const {
  HAWSER_TRY(make_current());
  return block_kernel_.get([this] {
    return load_kernel<BlockKernel>("copies blocks", "blocks are copied one by one, which is slow");
  });
}

Result<const UnpackKernel*> Gpu::unpack_kernel() const {
  HAWSER_TRY(make_current());
  return unpack_kernel_.get([this] {
    return load_kernel<UnpackKernel>("unpacks receives",
                                     "fragments are copied one by one, which is slow");
  });
}

Result<void*> Gpu::allocate(std::size_t bytes) const {
  HAWSER_TRY(make_current());
  CUdeviceptr memory = 0;
  const auto status = check_cuda(*driver_, driver_->cuMemAlloc(&memory, bytes), "cuMemAlloc");
  if (!status.ok())
    return status.error().within(fmt::format("allocating {} bytes on {}", bytes, label()));
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(memory));
}

Status Gpu::free(void* device_memory) const {
  HAWSER_TRY(make_current());
  return check_cuda(*driver_, driver_->cuMemFree(device_address(device_memory)), "cuMemFree");
}

Result<void*> Gpu::allocate_pinned(std::size_t bytes) const {
  HAWSER_TRY(make_current());
  void* memory = nullptr;
  const auto result =
      driver_->cuMemHostAlloc(&memory, bytes, kHostAllocPortable | kHostAllocDeviceMap);
  const auto status = check_cuda(*driver_, result, "cuMemHostAlloc");
  if (!status.ok())
    return status.error().within(
        fmt::format("allocating {} bytes of pinned memory for {}", bytes, label()));
  return memory;
}

Status Gpu::free_pinned(void* pinned_memory) const {
  HAWSER_TRY(make_current());
  return check_cuda(*driver_, driver_->cuMemFreeHost(pinned_memory), "cuMemFreeHost");
}

Result<std::span<std::byte>> Gpu::allocation_of(const void* device_memory) const {
  HAWSER_TRY(make_current());
  CUdeviceptr base = 0;
  std::size_t bytes = 0;
  HAWSER_TRY(check_cuda(*driver_,
                        driver_->cuMemGetAddressRange(&base, &bytes, device_address(device_memory)),
                        "cuMemGetAddressRange"));
  return std::span<std::byte>(reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(base)),
                              bytes);
}

Status Gpu::take_in_remote_writes() const {
  if (!info_.flushes_remote_writes || driver_->cuFlushGPUDirectRDMAWrites == nullptr) return {};
  HAWSER_TRY(make_current());
  return check_cuda(*driver_,
                    driver_->cuFlushGPUDirectRDMAWrites(kFlushTargetContext, kFlushScopeOwner),
                    "cuFlushGPUDirectRDMAWrites");
}

Status Gpu::copy_to_device(void* device, const void* host, std::size_t bytes) const {
  return copy(device_address(device), device_address(host), bytes);
}

Status Gpu::copy_to_host(void* host, const void* device, std::size_t bytes) const {
  return copy(device_address(host), device_address(device), bytes);
}

// cuMemcpy from pageable memory returns when the bytes are in the driver's staging
// memory, before they are on the GPU: only the wait for the null stream ends it.
Status Gpu::copy(CUdeviceptr to, CUdeviceptr from, std::size_t bytes) const {
  if (bytes == 0) return {};
  HAWSER_TRY(make_current());
  HAWSER_TRY(check_cuda(*driver_, driver_->cuMemcpy(to, from, bytes), "cuMemcpy"));
  return check_cuda(*driver_, driver_->cuStreamSynchronize(nullptr), "cuStreamSynchronize");
}

}  // namespace hawser
