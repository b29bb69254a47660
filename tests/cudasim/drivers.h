// For tests over the simulated driver, and for tests that run over both the simulated
// and the real one.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "cudasim/cudasim.h"
#include "gpu/gpu.h"
#include "support/built.h"

namespace hawser {

inline constexpr int kSimulatedGpus = 2;

inline std::string cudasim_path() {
  return test::built("tests/cudasim/libcuda-sim.so");
}

// A function of the simulated driver by its name: one of cudasim.h, or any of CUDA's.
template <class Function>
Function* cudasim_function(const char* name) {
  void* const library = dlopen(cudasim_path().c_str(), RTLD_NOW | RTLD_LOCAL);
  void* const found = library == nullptr ? nullptr : dlsym(library, name);
  EXPECT_NE(found, nullptr) << name;
  return reinterpret_cast<Function*>(found);
}

inline HawserCudasimCounts cudasim_counts() {
  HawserCudasimCounts counts{};
  cudasim_function<void(HawserCudasimCounts*)>("hawser_cudasim_counts")(&counts);
  return counts;
}

// While it lives, asynchronous work of the simulated driver stands still.
class CudasimHold {
 public:
  CudasimHold() { set(1); }
  ~CudasimHold() { let_go(); }
  void let_go() { set(0); }

 private:
  static void set(int hold) { cudasim_function<void(int)>("hawser_cudasim_hold")(hold); }
};

// The simulated driver, with two GPUs.
inline Result<std::shared_ptr<const CudaDriver>> load_cudasim() {
  setenv("HAWSER_CUDASIM_GPUS", std::to_string(kSimulatedGpus).c_str(), 0);
  return CudaDriver::load(cudasim_path());
}

// GPU 0 of the driver that the parameter names: "sim" or "real". Where there is no real one
// the test is skipped, with the driver's reason.
class GpuTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto driver = simulated() ? load_cudasim() : CudaDriver::load();
    if (!driver.ok() && !simulated())
      GTEST_SKIP() << "no real GPU here: " << driver.error().message();
    ASSERT_TRUE(driver.ok()) << driver.error().message();
    driver_ = *driver;
    auto gpu = Gpu::open(driver_, 0);
    ASSERT_TRUE(gpu.ok()) << gpu.error().message();
    gpu_ = *gpu;
    if (!simulated() && gpu_->info().name.starts_with("Simulated"))
      GTEST_SKIP() << "no real GPU here: HAWSER_CUDA_LIBRARY names the simulated driver";
  }

  bool simulated() const { return std::string(GetParam()) == "sim"; }

  std::shared_ptr<const CudaDriver> driver_;
  std::shared_ptr<Gpu> gpu_;
};

// Instantiate with these, named by gpu_driver_name.
inline auto gpu_drivers() {
  return testing::Values("sim", "real");
}
inline std::string gpu_driver_name(const testing::TestParamInfo<const char*>& info) {
  return info.param;
}

inline constexpr Milliseconds kGpuTestTimeout{20000};

// Polls until `done` says so; false at the deadline.
template <class Done>
bool eventually(Done done) {
  const Deadline deadline = Deadline::after(kGpuTestTimeout);
  Backoff backoff;
  while (!done()) {
    if (deadline.expired()) return false;
    backoff.idle();
  }
  return true;
}

}  // namespace hawser
