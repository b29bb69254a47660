// Exports: modules and launches.
#include <utility>

#include "state.h"

using namespace cudasim;

namespace {

constexpr unsigned kMostThreadsPerBlock = 1024;

// Whole warps in one dimension, as our kernels have them.
bool plausible(const Grid& grid, unsigned threads) {
  return grid.x > 0 && grid.y > 0 && grid.z > 0 && threads > 0 && threads <= kMostThreadsPerBlock &&
         threads % 32 == 0;
}

void submit(const std::shared_ptr<Queue>& stream, Work work) {
  stream->submit([context = stream->context(), work = std::move(work)] {
    State::get().pace().wait_if_held();
    if (context->fault == kSuccess && !work(State::get().memory()))
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
  const Grid grid{grid_x, grid_y, grid_z};
  const bool one_dimension = block_y == 1 && block_z == 1;
  if (!one_dimension || !plausible(grid, block_x) || shared_bytes != 0) return kInvalidValue;
  if (arguments == nullptr || extra != nullptr) return kInvalidValue;
  const auto stream = State::get().stream(handle, current_context());
  if (stream == nullptr) return kInvalidHandle;
  if (stream->context() != current_context()) return kInvalidContext;
  State::get().modules().count_launch();
  submit(stream, function->bind(grid, arguments));
  return kSuccess;
}
