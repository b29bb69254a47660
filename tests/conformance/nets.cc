#include "conformance/nets.h"

#include <fmt/core.h>
#include <stdlib.h>

#include <filesystem>

#include "cudasim/drivers.h"
#include "net/hosted/hosting.h"
#include "net/isolated/isolated_net.h"
#include "net/tcp/tcp_net.h"
#include "support/built.h"
#include "support/sanitizers.h"
#include "support/temp_dir.h"

namespace hawser::test {
namespace {

Result<std::unique_ptr<Net>> tcp_on_loopback(FamilyChoice family, TcpOptions options = {}) {
  options.interfaces.names = "=lo";
  options.interfaces.family = family;
  return make_tcp_net(options);
}

NetUnderTest tcp_variant(const char* name, int buffer_bytes, int sockets, int io_threads) {
  TcpOptions options;
  options.socket_buffer_bytes = buffer_bytes;
  options.sockets_per_channel = sockets;
  options.io_threads = io_threads;
  return {.name = name, .make = [options] { return tcp_on_loopback(FamilyChoice::ipv4, options); }};
}

// The simulated plugin of that ABI version, hosted.
NetUnderTest hosted_loopback(int version) {
  const std::string path = built(fmt::format("tests/plugins/libnccl-net-loopback-v{}.so", version));
  return {.name = fmt::format("hosted_loopback_v{}", version), .make = [path] {
            PluginOptions options;
            options.choice = {path, "a conformance test", false};
            return load_plugin(options);
          }};
}

// libnccl-net-hawser, hosted, on loopback, through one of the versions that it exports.
NetUnderTest hosted_hawser(int version) {
  return {.name = fmt::format("hosted_hawser_v{}", version), .make = [version] {
            setenv("HAWSER_SOCKET_IFNAME", "=lo", 1);
            PluginOptions options;
            options.choice = {built("src/nccl/libnccl-net-hawser.so"), "a conformance test", false};
            options.max_version = version;
            return load_plugin(options);
          }};
}

const std::string kEmulator = built("tests/emu/libnccl-net-tcpx-emu.so");

// The emulated TCPX on loopback, with its pool in host memory or in a GPU's.
PluginOptions tcpx_emulator(const char* bounce) {
  setenv("NCCL_GPUDIRECTTCPX_SOCKET_IFNAME", "=lo", 1);
  setenv("HAWSER_EMU_BOUNCE", bounce, 1);
  PluginOptions options;
  options.choice = {kEmulator, "a conformance test", false};
  return options;
}

Result<std::shared_ptr<Gpu>> open_simulated_gpu() {
  setenv("HAWSER_CUDA_LIBRARY", cudasim_path().c_str(), 1);
  HAWSER_ASSIGN(std::shared_ptr<const CudaDriver> driver, load_cudasim());
  return Gpu::open(std::move(driver), 0);
}

// Never closed: at exit the driver's own objects go first.
Result<std::shared_ptr<Gpu>> simulated_gpu() {
  static const auto* const gpu = new Result<std::shared_ptr<Gpu>>(open_simulated_gpu());
  return *gpu;
}

// Its comms are a GPU's: what they receive lands in that one's pool, wherever it belongs. It may be
// loaded once per process, so this is a library of its own.
Result<std::unique_ptr<Net>> hosted_emulator_with_gpu() {
  static const TempDir folder;
  PluginOptions options = tcpx_emulator("cuda");
  HAWSER_ASSIGN(options.gpu, simulated_gpu());
  options.choice.path_or_name = folder.file("libnccl-net-tcpx-emu-gpu.so");
  std::filesystem::copy_file(kEmulator, options.choice.path_or_name);
  return load_plugin(options);
}

Result<std::unique_ptr<Net>> isolated_emulator_with_gpu() {
  PluginOptions options = tcpx_emulator("cuda");
  HAWSER_ASSIGN(options.gpu, simulated_gpu());
  return open_isolated({options.choice}, options);
}

// In a process of its own for each test.
NetUnderTest isolated_loopback(int version) {
  const std::string path = built(fmt::format("tests/plugins/libnccl-net-loopback-v{}.so", version));
  return {.name = fmt::format("isolated_loopback_v{}", version), .make = [path] {
            return open_isolated({{path, "a conformance test", false}}, {});
          }};
}

std::vector<NetUnderTest> all_nets() {
  std::vector<NetUnderTest> nets = {
      {.name = "tcp", .make = [] { return tcp_on_loopback(FamilyChoice::ipv4); }},
      {.name = "tcp_ipv6",
       .make = [] { return tcp_on_loopback(FamilyChoice::ipv6); },
       .optional = true},
      tcp_variant("tcp_small_buffers", 16384, 1, 0),
      tcp_variant("tcp_striped", 0, 4, 2),
      tcp_variant("tcp_striped_by_caller", 0, 3, 0),
      tcp_variant("tcp_striped_small_buffers", 16384, 5, 3),
      // It may be loaded once per process.
      {.name = "hosted_tcpx_emulator",
       .make = [] { return load_plugin(tcpx_emulator("host")); },
       .once_per_process = true},
      {.name = "hosted_tcpx_emulator_gpu",
       .make = hosted_emulator_with_gpu,
       .gpu = [] { return *simulated_gpu(); },
       .once_per_process = true},
      {.name = "isolated_tcpx_emulator",
       .make = [] { return open_isolated({tcpx_emulator("host").choice}, tcpx_emulator("host")); }},
      {.name = "isolated_tcpx_emulator_gpu", .make = isolated_emulator_with_gpu},
      isolated_loopback(12),
  };
  // An adapter each; a sanitizer sees enough in the first and the last. Our own plugin's exports
  // are tested one by one elsewhere.
  for (int version = 5; version <= 12; version += kSanitized ? 7 : 1)
    nets.push_back(hosted_loopback(version));
  for (const int version : {5, 8, 12})
    if (!kSanitized || version == 12) nets.push_back(hosted_hawser(version));
  return nets;
}

}  // namespace

const std::vector<NetUnderTest>& nets_under_test() {
  static const std::vector<NetUnderTest> nets = all_nets();
  return nets;
}

}  // namespace hawser::test
