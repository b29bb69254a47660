#include "module.h"

#include <algorithm>

namespace cudasim {
namespace {

struct KnownKernel {
  const char* name;
  Function function;
};
KnownKernel kKernels[] = {{"hawser_copy_blocks", {&bind_copy_blocks}},
                          {"hawser_unpack", {&bind_unpack}}};

auto find_module(std::set<std::unique_ptr<Module>>& modules, const Module* module) {
  return std::find_if(modules.begin(), modules.end(),
                      [&](const auto& one) { return one.get() == module; });
}

}  // namespace

Module* Modules::load(const char* image) {
  auto made = std::make_unique<Module>(image);
  if (made->image.find(".version ") == std::string::npos ||
      made->image.find(".target sm_") == std::string::npos)
    return nullptr;
  const std::lock_guard lock(mutex_);
  return modules_.insert(std::move(made)).first->get();
}

CUresult Modules::unload(Module* module) {
  const std::lock_guard lock(mutex_);
  const auto found = find_module(modules_, module);
  if (found == modules_.end()) return kInvalidHandle;
  modules_.erase(found);
  return kSuccess;
}

CUresult Modules::find(Function** function, Module* module, const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (find_module(modules_, module) == modules_.end()) return kInvalidHandle;
  auto* const known = std::find_if(std::begin(kKernels), std::end(kKernels),
                                   [&](const KnownKernel& kernel) { return kernel.name == name; });
  if (known == std::end(kKernels) || module->image.find(".entry " + name) == std::string::npos)
    return kNotFound;
  *function = &known->function;
  return kSuccess;
}

std::size_t Modules::count() {
  const std::lock_guard lock(mutex_);
  return modules_.size();
}

}  // namespace cudasim
