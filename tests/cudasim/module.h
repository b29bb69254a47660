// Modules and the kernels in them: known by name, and written in C++ here.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "abi.h"

namespace cudasim {

class Memory;

// What a kernel does on the CPU, with its arguments as they were at the launch; false: it touched
// memory that it must not.
using KernelBody = bool (*)(const Memory& memory, CUdeviceptr tiles, unsigned count);

struct Function {
  KernelBody body;
};

struct Module {
  explicit Module(std::string the_image) : image(std::move(the_image)) {}
  const std::string image;
};

// Thread-safe.
class Modules {
 public:
  Module* load(const char* image);  // null: that is no PTX
  CUresult unload(Module* module);
  CUresult find(Function** function, Module* module, const std::string& name);

  std::size_t count();
  void count_launch() { ++launches_; }
  std::size_t launches() const { return launches_; }

 private:
  std::mutex mutex_;
  std::set<std::unique_ptr<Module>> modules_;
  std::atomic<std::size_t> launches_{0};
};

// hawser_copy_blocks.
bool copy_blocks(const Memory& memory, CUdeviceptr tiles, unsigned count);

}  // namespace cudasim
