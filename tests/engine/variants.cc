#include "engine/variants.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "cudasim/drivers.h"
#include "support/built.h"
#include "support/sanitizers.h"
#include "support/temp_dir.h"

namespace hawser::test {
namespace {

const std::string kEmulator = built("tests/emu/libnccl-net-tcpx-emu.so");
const std::string kOurPlugin = built("src/nccl/libnccl-net-hawser.so");
const std::string kLoopback = built("tests/plugins/libnccl-net-loopback-v9.so");

// Tests move some tens of chunks; small ones are as many steps, and sooner done.
constexpr std::uint64_t kSmallChunkBytes = 64 * 1024;

std::vector<Variant> all_variants() {
  return {
      {.name = "tcp"},
      // Small, odd chunks over several channels and threads: all seams, and all orders.
      {.name = "tcp_channels", .channels = 4, .threads = 2, .chunk_bytes = 20'001},
      {.name = "tcp_host_to_gpu", .far = Place::gpu, .chunk_bytes = kSmallChunkBytes},
      {.name = "tcp_gpu_to_host", .near = Place::gpu, .chunk_bytes = kSmallChunkBytes},
      {.name = "tcp_gpu_to_gpu",
       .near = Place::gpu,
       .far = Place::gpu,
       .channels = 2,
       .chunk_bytes = 30'001},
      // These two have the same engines.
      {.name = "hosted_tcpx_emulator",
       .plugin = kEmulator,
       .chunk_bytes = kSmallChunkBytes,
       .kept = true},
      {.name = "hosted_tcpx_emulator_gpu",
       .plugin = kEmulator,
       .near = Place::gpu,
       .far = Place::gpu,
       .chunk_bytes = kSmallChunkBytes,
       .kept = true},
      {.name = "isolated_tcpx_emulator",
       .plugin = kEmulator,
       .chunk_bytes = kSmallChunkBytes,
       .isolate = true},
      {.name = "isolated_tcpx_emulator_gpu",
       .plugin = kEmulator,
       .near = Place::gpu,
       .far = Place::gpu,
       .chunk_bytes = kSmallChunkBytes,
       .isolate = true},
      // Chunks of several sockets.
      {.name = "hosted_hawser", .plugin = kOurPlugin, .chunk_bytes = 3 * kSmallChunkBytes},
      {.name = "hosted_loopback",
       .plugin = kLoopback,
       .channels = 2,
       .threads = 2,
       .chunk_bytes = kSmallChunkBytes},
  };
}

// A sanitizer looks at code, not at which memory it is: these run all there is of an engine.
// Threads of their own have those of several channels, and a hosted plugin; what is isolated is
// another process, which the thread sanitizer does not see.
std::vector<Variant> sanitized_variants() {
  std::set<std::string> wanted = {"tcp_channels", "hosted_tcpx_emulator_gpu"};
  if (kThreadSanitizer)
    wanted.insert({"tcp_gpu_to_gpu", "hosted_loopback"});
  else
    wanted.insert("isolated_tcpx_emulator_gpu");
  std::vector<Variant> variants = all_variants();
  std::erase_if(variants, [&](const Variant& one) { return !wanted.contains(one.name); });
  return variants;
}

using KeptEngines = std::map<std::pair<std::string, Role>, std::shared_ptr<Engine>>;

KeptEngines& kept_engines() {
  static KeptEngines kept;
  return kept;
}

// They end before the program's exit handlers run: a plugin's static objects go there.
class EndsKeptEngines : public testing::Environment {
 public:
  void TearDown() override { kept_engines().clear(); }
};
const testing::Environment* const ends_kept_engines =
    testing::AddGlobalTestEnvironment(new EndsKeptEngines);

// Loading the same file again would find the library that is loaded, and was initialised.
Result<std::shared_ptr<Engine>> load_copy(const Variant& variant, Role role) {
  static const TempDir folder;
  EngineOptions options = engine_options(variant);
  options.plugin = folder.file(role == Role::client ? "libclient.so" : "libserver.so");
  std::filesystem::copy_file(variant.plugin, options.plugin);
  HAWSER_ASSIGN(std::unique_ptr<Engine> engine, Engine::create(options));
  return std::shared_ptr<Engine>(std::move(engine));
}

}  // namespace

const std::vector<Variant>& variants() {
  static const std::vector<Variant> all = kSanitized ? sanitized_variants() : all_variants();
  return all;
}

const Variant& plain_variant() {
  static const Variant plain = all_variants().front();
  return plain;
}

void set_environment(const Variant& variant) {
  setenv("HAWSER_SOCKET_IFNAME", "=lo", 1);
  setenv("NCCL_GPUDIRECTTCPX_SOCKET_IFNAME", "=lo", 1);
  setenv("HAWSER_CUDASIM_GPUS", std::to_string(kSimulatedGpus).c_str(), 1);
  // Those that are kept are made once, for whoever comes.
  const bool driver = variant.any_gpu() || variant.kept;
  setenv("HAWSER_CUDA_LIBRARY", driver ? cudasim_path().c_str() : "/nowhere/libcuda.so", 1);
}

EngineOptions engine_options(const Variant& variant) {
  EngineOptions options;
  options.plugin = variant.plugin;
  options.threads = variant.threads;
  options.chunk_bytes = variant.chunk_bytes;
  options.isolate = variant.isolate;
  options.stall_ms = kStallMs;
  options.peer_silence_ms = 60'000;
  return options;
}

Result<std::shared_ptr<Engine>> make_engine(const Variant& variant, Role role) {
  if (variant.kept) {
    std::shared_ptr<Engine>& engine = kept_engines()[{variant.plugin, role}];
    if (engine == nullptr) {
      HAWSER_ASSIGN(engine, load_copy(variant, role));
    }
    return engine;
  }
  HAWSER_ASSIGN(std::unique_ptr<Engine> engine, Engine::create(engine_options(variant)));
  return std::shared_ptr<Engine>(std::move(engine));
}

}  // namespace hawser::test
