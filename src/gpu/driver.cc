#include "gpu/driver.h"

#include <dlfcn.h>
#include <fmt/core.h>

#include "base/parameters.h"

namespace hawser {
namespace {

// dlerror() begins with the library's name, as our errors do.
std::string without_prefix(std::string text, const std::string& prefix) {
  if (text.starts_with(prefix + ": ")) text.erase(0, prefix.size() + 2);
  return text;
}

Error unavailable(const std::string& library, const std::string& cause, const char* remedy) {
  return Error(Code::unavailable,
               fmt::format("no usable CUDA driver: {}: {}; {}", library, cause, remedy));
}

// Looks functions up in a library, and remembers the first that is missing.
class Symbols {
 public:
  explicit Symbols(void* library) : library_(library) {}

  template <class Function>
  void find(Function*& function, const char* symbol) {
    function = reinterpret_cast<Function*>(dlsym(library_, symbol));
    if (function == nullptr && missing_ == nullptr) missing_ = symbol;
  }
  // A newer one: null where it is not there.
  template <class Function>
  void find_if_there(Function*& function, const char* symbol) {
    function = reinterpret_cast<Function*>(dlsym(library_, symbol));
  }
  const char* missing() const { return missing_; }

 private:
  void* library_;
  const char* missing_ = nullptr;
};

// The plain names of some functions are those of the ABI before CUDA 3.2 (32-bit sizes)
// or 11.0; today's have a suffix, which cuda.h hides behind macros.
void find_all(Symbols& symbols, CudaDriver& driver) {
  symbols.find(driver.cuInit, "cuInit");
  symbols.find(driver.cuDriverGetVersion, "cuDriverGetVersion");
  symbols.find(driver.cuGetErrorName, "cuGetErrorName");
  symbols.find(driver.cuGetErrorString, "cuGetErrorString");
  symbols.find(driver.cuDeviceGetCount, "cuDeviceGetCount");
  symbols.find(driver.cuDeviceGet, "cuDeviceGet");
  symbols.find(driver.cuDeviceGetName, "cuDeviceGetName");
  symbols.find(driver.cuDeviceGetPCIBusId, "cuDeviceGetPCIBusId");
  symbols.find(driver.cuDeviceTotalMem, "cuDeviceTotalMem_v2");
  symbols.find(driver.cuDeviceGetAttribute, "cuDeviceGetAttribute");
  symbols.find(driver.cuDevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain");
  symbols.find(driver.cuDevicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease_v2");
  symbols.find(driver.cuCtxSetCurrent, "cuCtxSetCurrent");
  symbols.find(driver.cuMemAlloc, "cuMemAlloc_v2");
  symbols.find(driver.cuMemFree, "cuMemFree_v2");
  symbols.find(driver.cuMemGetAddressRange, "cuMemGetAddressRange_v2");
  symbols.find_if_there(driver.cuFlushGPUDirectRDMAWrites, "cuFlushGPUDirectRDMAWrites");
  symbols.find(driver.cuMemHostAlloc, "cuMemHostAlloc");
  symbols.find(driver.cuMemFreeHost, "cuMemFreeHost");
  symbols.find(driver.cuMemcpy, "cuMemcpy");
  symbols.find(driver.cuMemcpyAsync, "cuMemcpyAsync");
  symbols.find(driver.cuStreamCreate, "cuStreamCreate");
  symbols.find(driver.cuStreamDestroy, "cuStreamDestroy_v2");
  symbols.find(driver.cuStreamSynchronize, "cuStreamSynchronize");
  symbols.find(driver.cuStreamIsCapturing, "cuStreamIsCapturing");
  symbols.find(driver.cuEventCreate, "cuEventCreate");
  symbols.find(driver.cuEventDestroy, "cuEventDestroy_v2");
  symbols.find(driver.cuEventRecord, "cuEventRecord");
  symbols.find(driver.cuEventQuery, "cuEventQuery");
  symbols.find(driver.cuEventSynchronize, "cuEventSynchronize");
  symbols.find(driver.cuModuleLoadData, "cuModuleLoadData");
  symbols.find(driver.cuModuleUnload, "cuModuleUnload");
  symbols.find(driver.cuModuleGetFunction, "cuModuleGetFunction");
  symbols.find(driver.cuLaunchKernel, "cuLaunchKernel");
  symbols.find(driver.cuPointerGetAttribute, "cuPointerGetAttribute");
}

Result<std::shared_ptr<CudaDriver>> open_table(const std::string& library) {
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    return unavailable(
        library, without_prefix(dlerror(), library),
        "install the NVIDIA driver (in a container: start it with access to the GPUs), "
        "or name its library in HAWSER_CUDA_LIBRARY");
  auto driver = std::make_shared<CudaDriver>();
  driver->library = library;
  Symbols symbols(handle);
  find_all(symbols, *driver);
  if (symbols.missing() != nullptr)
    return unavailable(
        library, fmt::format("it has no function {}", symbols.missing()),
        "it is no CUDA driver library, or one older than CUDA 11.0: update the driver, "
        "or name another in HAWSER_CUDA_LIBRARY");
  return driver;
}

// What to do when cuInit fails, by the cases that are met in the field.
const char* init_remedy(CUresult result) {
  switch (result) {
    case 34:  // CUDA_ERROR_STUB_LIBRARY
      return "this is the toolkit's stub: take its folder out of LD_LIBRARY_PATH";
    case 100:  // CUDA_ERROR_NO_DEVICE
      return "check nvidia-smi and CUDA_VISIBLE_DEVICES, and in a container that GPUs were passed "
             "in";
    case 304:  // CUDA_ERROR_OPERATING_SYSTEM
      return "check that this user may open /dev/nvidiactl and /dev/nvidia*";
    case 802:  // CUDA_ERROR_SYSTEM_NOT_READY
      return "start nvidia-fabricmanager (NVSwitch machines), then try again";
    case 803:  // CUDA_ERROR_SYSTEM_DRIVER_MISMATCH
      return "library and kernel module are of different versions: reboot after a driver update; "
             "in a "
             "container, use the host's library";
    case 804:  // CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE
      return "take the CUDA compat folder out of LD_LIBRARY_PATH: this GPU cannot use it";
    case 999:  // CUDA_ERROR_UNKNOWN
      return "check nvidia-smi, the kernel log, and that the nvidia_uvm module is loaded";
    default:
      return "check nvidia-smi and the kernel log";
  }
}

Status initialise(const CudaDriver& driver) {
  const CUresult result = driver.cuInit(0);
  if (const Status status = check_cuda(driver, result, "cuInit"); !status.ok())
    return unavailable(driver.library, status.error().message(), init_remedy(result));
  int count = 0;
  HAWSER_TRY(check_cuda(driver, driver.cuDeviceGetCount(&count), "cuDeviceGetCount"));
  if (count > 0) return {};
  return unavailable(driver.library, "it shows no GPU", init_remedy(100));
}

}  // namespace

Result<std::shared_ptr<const CudaDriver>> CudaDriver::load() {
  return load(parameters::kCudaLibrary.text_or_default());
}

Result<std::shared_ptr<const CudaDriver>> CudaDriver::load(const std::string& library) {
  HAWSER_ASSIGN(std::shared_ptr<const CudaDriver> driver, open_table(library));
  HAWSER_TRY(initialise(*driver));
  return driver;
}

Status check_cuda(const CudaDriver& driver, CUresult result, const char* call) {
  if (result == kCudaSuccess) return {};
  const char* name = nullptr;
  const char* text = nullptr;
  driver.cuGetErrorName(result, &name);
  driver.cuGetErrorString(result, &text);
  if (name == nullptr || text == nullptr)
    return Error(Code::system, fmt::format("{}: CUDA error {}", call, result));
  return Error(Code::system, fmt::format("{}: {} ({})", call, name, text));
}

}  // namespace hawser
