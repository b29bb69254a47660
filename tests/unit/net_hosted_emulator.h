// The emulated TCPX, hosted, and what the host did with it.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>

#include "emu_support.h"
#include "net/hosted/hosted_net.h"
#include "support/guarded_buffer.h"
#include "support/net_pair.h"
#include "support/scoped_env.h"

namespace hawser {

inline constexpr int kEmulatorWindow = 16;
inline constexpr std::size_t kEmulatorRequest = 512 * 1024;

// A copy of the emulator, hosted; host memory on loopback.
class HostedEmulator {
 public:
  explicit HostedEmulator(const char* faults, const char* fragments = "mixed")
      : plugin_(emu_test::Environment{}, false) {
    const test::ScopedEnvironment interface("NCCL_GPUDIRECTTCPX_SOCKET_IFNAME", "=lo");
    const test::ScopedEnvironment chunk("NCCL_DYNAMIC_CHUNK_SIZE", "524288");
    const test::ScopedEnvironment bounce("HAWSER_EMU_BOUNCE", "host");
    const test::ScopedEnvironment set_faults("HAWSER_EMU_FAULTS", faults);
    const test::ScopedEnvironment set_fragments("HAWSER_EMU_FRAGMENTS", fragments);
    auto api = make_plugin_api(7, plugin_.operator->());
    EXPECT_TRUE(api.ok());
    auto net = host_plugin(std::move(*api), "a test", {});
    EXPECT_TRUE(net.ok()) << (net.ok() ? "" : net.error().message());
    if (net.ok()) net_ = std::move(*net);
  }
  Net& net() { return *net_; }
  HawserEmuStats stats() const { return plugin_.stats(); }
  std::uint64_t calls(HawserEmuCall call) const { return stats().calls[call]; }
  // Of the calls that move data.
  std::uint64_t data_calls() const {
    return calls(HAWSER_EMU_ISEND) + calls(HAWSER_EMU_IRECV) + calls(HAWSER_EMU_TEST) +
           calls(HAWSER_EMU_IRECV_CONSUMED);
  }

 private:
  emu_test::Plugin plugin_;
  std::unique_ptr<Net> net_;
};

// A connection with a registered buffer of `bytes` a side.
struct EmulatedChannel {
  EmulatedChannel(HostedEmulator& emulator, std::size_t bytes) : from(bytes), to(bytes) {
    auto connected = test::connect_pair(emulator.net(), 0, test::soon());
    EXPECT_TRUE(connected.ok()) << (connected.ok() ? "" : connected.error().message());
    pair = std::move(*connected);
    sends = *pair.sender->register_memory(from.range());
    receives = *pair.receiver->register_memory(to.range());
  }
  ~EmulatedChannel() {
    EXPECT_TRUE(pair.sender->deregister(sends).ok());
    EXPECT_TRUE(pair.receiver->deregister(receives).ok());
  }
  EmulatedChannel(const EmulatedChannel&) = delete;
  EmulatedChannel& operator=(const EmulatedChannel&) = delete;

  test::NetPair pair;
  test::GuardedBuffer from, to;
  Registration* sends = nullptr;
  Registration* receives = nullptr;
};

}  // namespace hawser
