#include "side/environment.h"

#include <fmt/core.h>

#include "setup/tcpx_report.h"

namespace hawser {
namespace {

Result<std::shared_ptr<Gpu>> open_ordinal(int ordinal) {
  HAWSER_ASSIGN(std::shared_ptr<const CudaDriver> driver, CudaDriver::load());
  return Gpu::open(std::move(driver), ordinal);
}

}  // namespace

Result<std::shared_ptr<Gpu>> open_gpu(MemoryChoice choice, int ordinal, std::string& why) {
  if (choice == MemoryChoice::host) {
    why = "asked for";
    return std::shared_ptr<Gpu>();
  }
  Result<std::shared_ptr<Gpu>> gpu = open_ordinal(ordinal);
  if (gpu.ok() || choice == MemoryChoice::cuda || gpu.error().code() != Code::unavailable)
    return gpu;
  why = gpu.error().message();
  return std::shared_ptr<Gpu>();
}

Result<Buffer> Environment::allocate(std::size_t bytes) const {
  return memory == MemoryKind::cuda ? Buffer::cuda(gpu, bytes) : Buffer::host(bytes);
}

Result<Environment> open_environment(const EnvironmentChoice& choice,
                                     std::shared_ptr<CallJournal> journal) {
  Environment environment;
  std::string why_host;
  HAWSER_ASSIGN(environment.gpu, open_gpu(choice.memory, choice.gpu, why_host));
  if (environment.gpu) {
    HAWSER_TRY(environment.gpu->make_current());  // a plugin's init may need it
    environment.memory = MemoryKind::cuda;
    environment.memory_name = fmt::format("GPU {} ({})", choice.gpu, environment.gpu->info().name);
  } else {
    environment.memory_name = fmt::format("host memory ({})", why_host);
  }
  HAWSER_ASSIGN(environment.transport,
                open_transport(choice.transport, environment.gpu, std::move(journal)));
  Net& net = *environment.transport.net;
  HAWSER_ASSIGN(environment.device, choose_device(net, choice.device));
  if (environment.gpu)
    HAWSER_TRY(inspect_nic(environment.gpu->info(), environment.net_device(), net.devices()));
  return environment;
}

}  // namespace hawser
