// Exports: modules and launches.
#include <cstring>

#include "state.h"

using namespace cudasim;

namespace {

constexpr unsigned kMostThreadsPerBlock = 1024;

// A grid of whole warps in one dimension, as our kernels have it.
bool plausible(unsigned grid, unsigned threads) {
  return grid > 0 && threads > 0 && threads <= kMostThreadsPerBlock && threads % 32 == 0;
}

template <class T>
T argument(void** arguments, int index) {
  T value;
  std::memcpy(&value, arguments[index], sizeof value);
  return value;
}

void submit(const std::shared_ptr<Queue>& stream, KernelBody body, CUdeviceptr tiles,
            unsigned count) {
  stream->submit([context = stream->context(), body, tiles, count] {
    State::get().pace().wait_if_held();
    if (context->fault == kSuccess && !body(State::get().memory(), tiles, count))
      context->fault = kIllegalAddress;
  });
}

}  // namespace

CUDASIM_EXPORT CUresult cuModuleLoadData(CUmodule* module, const void* image) {
  if (const CUresult problem = require_context()) return problem;
  if (module == nullptr || image == nullptr) return kInvalidValue;
  *module = State::get().modules().load(static_cast<const char*>(image));
  return *module == nullptr ? kInvalidPtx : kSuccess;
}

CUDASIM_EXPORT CUresult cuModuleUnload(CUmodule module) {
  if (const CUresult problem = require_context()) return problem;
  return State::get().modules().unload(module);
}

CUDASIM_EXPORT CUresult cuModuleGetFunction(CUfunction* function, CUmodule module,
                                            const char* name) {
  if (const CUresult problem = require_context()) return problem;
  if (function == nullptr || name == nullptr) return kInvalidValue;
  return State::get().modules().find(function, module, name);
}

CUDASIM_EXPORT CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y,
                                       unsigned grid_z, unsigned block_x, unsigned block_y,
                                       unsigned block_z, unsigned shared_bytes, CUstream handle,
                                       void** arguments, void** extra) {
  if (const CUresult problem = require_context()) return problem;
  if (function == nullptr) return kInvalidHandle;
  const bool one_dimension = grid_y == 1 && grid_z == 1 && block_y == 1 && block_z == 1;
  if (!one_dimension || !plausible(grid_x, block_x) || shared_bytes != 0) return kInvalidValue;
  if (arguments == nullptr || extra != nullptr) return kInvalidValue;
  const auto stream = State::get().stream(handle, current_context());
  if (stream == nullptr) return kInvalidHandle;
  if (stream->context() != current_context()) return kInvalidContext;
  State::get().modules().count_launch();
  submit(stream, function->body, argument<CUdeviceptr>(arguments, 0),
         argument<unsigned>(arguments, 1));
  return kSuccess;
}
