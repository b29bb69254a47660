// Modules and the kernels in them: known by name, and written in C++ here.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "abi.h"

namespace cudasim {

class Memory;

struct Grid {
  unsigned x, y, z;
};

// What a launch does on the CPU; false: it touched memory that it must not.
using Work = std::function<bool(const Memory&)>;

// A kernel: `bind` takes the arguments as they are at the launch.
struct Function {
  Work (*bind)(const Grid& grid, void** arguments);
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

Work bind_copy_blocks(const Grid& grid, void** arguments);
Work bind_unpack(const Grid& grid, void** arguments);

template <class T>
T argument(void** arguments, int index) {
  T value;
  std::memcpy(&value, arguments[index], sizeof value);
  return value;
}

// What our kernels do most: bytes from where the GPU reaches to where it reaches.
bool copy_on_gpu(const Memory& memory, CUdeviceptr to, CUdeviceptr from, std::size_t bytes);
// Where the GPU would find these bytes; null where it would not.
std::byte* reach(const Memory& memory, CUdeviceptr address, std::size_t bytes);

}  // namespace cudasim
