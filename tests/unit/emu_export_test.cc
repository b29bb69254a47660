// CUDA memory is registered by what the driver exports of it: whole pages of one allocation.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"
#include "emu_place_test.h"

namespace hawser::emu_test {
namespace {

// Standard input comes back in the end.
class KeptDescriptor0 {
 public:
  KeptDescriptor0() : kept_(fcntl(0, F_DUPFD_CLOEXEC, 100)) {}
  ~KeptDescriptor0() { dup2(kept_.get(), 0); }
  KeptDescriptor0(const KeptDescriptor0&) = delete;
  KeptDescriptor0& operator=(const KeptDescriptor0&) = delete;

 private:
  UniqueFd kept_;
};

bool descriptor_0_is_open() {
  return fcntl(0, F_GETFD) != -1;
}

class EmuExport : public EmuPlaceTest {
 protected:
  int register_cuda(const Pair& pair, const void* data, int bytes) {
    void* registration = nullptr;
    const int result = pair.plugin_->reg_mr(pair.send_comm, const_cast<void*>(data), bytes,
                                            emu::kPointerCuda, &registration);
    if (result == 0) {
      EXPECT_EQ(pair.plugin_->dereg_mr(pair.send_comm, registration), 0);
    }
    return result;
  }
};

TEST_P(EmuExport, WholePagesAreRegistered) {
  const KeptDescriptor0 kept;
  Plugin plugin(environment);
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  const DevicePages memory(*gpu_, 4 << 20);
  for (const int bytes : {4096, 8192, 1 << 20, 4 << 20})
    EXPECT_EQ(register_cuda(pair, memory.data(), bytes), 0) << bytes;
  EXPECT_EQ(register_cuda(pair, memory.data() + 4096, 4096), 0);
  EXPECT_TRUE(descriptor_0_is_open());
  EXPECT_EQ(plugin.stats().violations, 0U) << plugin.stats().last_violation;
}

TEST_P(EmuExport, OtherSizesAreRefusedAndCostDescriptor0) {
  const KeptDescriptor0 kept;
  Plugin plugin(environment);
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  const DevicePages memory(*gpu_, 4 << 20);
  for (const int bytes : {1, 4095, 4097, 5000, (4 << 20) - 1}) {
    const KeptDescriptor0 again;
    EXPECT_EQ(register_cuda(pair, memory.data(), bytes), emu::kInternalError) << bytes;
    EXPECT_FALSE(descriptor_0_is_open()) << bytes;
  }
  EXPECT_EQ(plugin.stats().violations, 5U);
  EXPECT_NE(std::string(plugin.stats().last_violation).find("descriptor 0 is closed"),
            std::string::npos);
}

TEST_P(EmuExport, WhatLeavesItsAllocationIsRefused) {
  const KeptDescriptor0 kept;
  Plugin plugin(environment);
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  const DevicePages memory(*gpu_, 4 << 20);
  EXPECT_EQ(register_cuda(pair, memory.data(), 1 << 30), emu::kInternalError);
  EXPECT_FALSE(descriptor_0_is_open());
}

// That is seen before the driver is asked.
TEST_P(EmuExport, AnAddressInsideAPageIsRefusedAndCostsNothing) {
  Plugin plugin(environment);
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  const DevicePages memory(*gpu_, 4 << 20);
  EXPECT_EQ(register_cuda(pair, memory.data() + 512, 4096), emu::kInternalError);
  EXPECT_TRUE(descriptor_0_is_open());
}

// The real one uses 0 for "none".
TEST_P(EmuExport, ASocketThatBecomesDescriptor0IsAFailure) {
  const KeptDescriptor0 kept;
  Plugin plugin(environment);
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  const DevicePages memory(*gpu_, 4096);
  ASSERT_EQ(register_cuda(pair, memory.data(), 1), emu::kInternalError);
  Pair other(plugin);
  EXPECT_EQ(plugin->listen(other.device_, other.handle.data(), &other.listen_comm),
            emu::kInternalError);
  Pair third(plugin);
  third.listen();  // 0 is in use now, though by nobody
  close(0);
  void* comm = nullptr;
  EXPECT_EQ(plugin->connect(third.device_, third.handle.data(), &comm, nullptr),
            emu::kInternalError);
}

INSTANTIATE_TEST_SUITE_P(Drivers, EmuExport, gpu_drivers(), gpu_driver_name);

}  // namespace
}  // namespace hawser::emu_test
