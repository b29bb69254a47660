// The emulated TCPX with its bounce pool in host memory, or on a GPU, simulated or real.
#pragma once

#include <cstring>

#include "cudasim/drivers.h"
#include "emu_support.h"

namespace hawser::emu_test {

// Device memory on a page boundary.
class DevicePages {
 public:
  DevicePages(const Gpu& gpu, std::size_t bytes) : gpu_(gpu) {
    auto memory = gpu.allocate(bytes + 2 * emu::kPageBytes);
    EXPECT_TRUE(memory.ok());
    memory_ = memory.ok() ? *memory : nullptr;
  }
  ~DevicePages() { EXPECT_TRUE(gpu_.free(memory_).ok()); }
  DevicePages(const DevicePages&) = delete;
  DevicePages& operator=(const DevicePages&) = delete;

  unsigned char* data() const {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_);
    return reinterpret_cast<unsigned char*>((address + 4095) & ~std::uintptr_t{4095});
  }

 private:
  const Gpu& gpu_;
  void* memory_ = nullptr;
};

// The parameter is "host", "sim" or "real"; `environment` is for the Plugin.
class EmuPlaceTest : public GpuTest {
 protected:
  void SetUp() override {
    environment = {{"HAWSER_EMU_BOUNCE", on_gpu() ? "cuda" : "host"},
                   {"HAWSER_EMU_POOL_PAGES", "1024"}};
    if (!on_gpu()) return;
    GpuTest::SetUp();
    if (gpu_ == nullptr) return;
    if (simulated()) environment["HAWSER_CUDA_LIBRARY"] = cudasim_path();
    ASSERT_TRUE(gpu_->make_current().ok());
    gpu_of_receives = gpu_;
  }
  void TearDown() override { gpu_of_receives = nullptr; }

  bool on_gpu() const { return std::string(GetParam()) != "host"; }

  // Reads memory of the place into the host.
  void fetch(void* host, const void* from, std::size_t bytes) const {
    if (on_gpu())
      ASSERT_TRUE(gpu_->copy_to_host(host, from, bytes).ok());
    else
      std::memcpy(host, from, bytes);
  }

  emu::UnpackHandle unpack_handle(const Pair& pair) const {
    emu::UnpackHandle handle{};
    fetch(&handle, pair.device_handle.handle, sizeof handle);
    return handle;
  }

  std::size_t unpack(const Pair& pair, std::uint64_t sequence, void* to) const {
    const emu::UnpackHandle handle = unpack_handle(pair);
    const std::size_t slot = sequence % emu::kSlots;
    std::size_t bytes = 0;
    for (std::uint64_t i = 0; i < handle.meta->cnt[slot]; ++i) {
      const emu::LoadMeta& piece = handle.meta->mem[slot][i];
      fetch(static_cast<std::byte*>(to) + piece.destination_offset,
            static_cast<const std::byte*>(handle.bounce) + piece.source_offset, piece.bytes);
      bytes += piece.bytes;
    }
    return bytes;
  }

  // The n-th receive of the pair has what its sender sent from the start of `source`.
  void expect_received(const Pair& pair, std::uint64_t sequence, std::size_t bytes) const {
    std::memset(pair.destination.data(), 0, pair.destination.bytes());
    EXPECT_EQ(unpack(pair, sequence, pair.destination.data()), bytes);
    EXPECT_EQ(std::memcmp(pair.destination.data(), pair.source.data(), bytes), 0);
  }

  Environment environment;
};

}  // namespace hawser::emu_test
