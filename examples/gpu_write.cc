// hello.cc between the memories of two GPUs (or of one, where both sides run on one machine): the
// client writes what a stream of its GPU is still computing, here copying.
//
// The CUDA driver is looked up at run time, so that this builds without the CUDA SDK. Programs that
// use the CUDA runtime give hawser the pointers of cudaMalloc() and their cudaStream_t just so.
// Without a GPU the program says so and its exit status is 77; HAWSER_CUDA_LIBRARY names another
// driver library, for hawser too.
#include <dlfcn.h>

#include "common.h"

namespace {

constexpr std::size_t kBytes = 16 << 20;
constexpr std::uint64_t kSeed = 1965;

// The part of the driver API that is used here, by the names of its ABI.
class Cuda {
 public:
  using Pointer = unsigned long long;

  Cuda() : library_(open_library()) {
    if (find<int(unsigned)>("cuInit")(0) != 0) throw example::Skip("the CUDA driver has no GPU");
    int device = 0;
    call("cuDeviceGet", find<int(int*, int)>("cuDeviceGet")(&device, 0));
    void* context = nullptr;
    call("cuDevicePrimaryCtxRetain",
         find<int(void**, int)>("cuDevicePrimaryCtxRetain")(&context, device));
    call("cuCtxSetCurrent", find<int(void*)>("cuCtxSetCurrent")(context));
  }

  Pointer allocate(std::size_t bytes) {
    Pointer memory = 0;
    call("cuMemAlloc", find<int(Pointer*, std::size_t)>("cuMemAlloc_v2")(&memory, bytes));
    return memory;
  }
  void free(Pointer memory) { find<int(Pointer)>("cuMemFree_v2")(memory); }

  void* make_stream() {
    void* stream = nullptr;
    constexpr unsigned kNonBlocking = 1;
    call("cuStreamCreate", find<int(void**, unsigned)>("cuStreamCreate")(&stream, kNonBlocking));
    return stream;
  }
  void destroy_stream(void* stream) { find<int(void*)>("cuStreamDestroy_v2")(stream); }

  void copy_to_gpu_later(Pointer to, const void* from, std::size_t bytes, void* stream) {
    call("cuMemcpyHtoDAsync", find<int(Pointer, const void*, std::size_t, void*)>(
                                  "cuMemcpyHtoDAsync_v2")(to, from, bytes, stream));
  }
  void copy_to_host(void* to, Pointer from, std::size_t bytes) {
    call("cuMemcpyDtoH",
         find<int(void*, Pointer, std::size_t)>("cuMemcpyDtoH_v2")(to, from, bytes));
  }

 private:
  static void* open_library() {
    const char* const chosen = std::getenv("HAWSER_CUDA_LIBRARY");
    const std::string name = chosen != nullptr && *chosen != '\0' ? chosen : "libcuda.so.1";
    void* const library = dlopen(name.c_str(), RTLD_NOW);
    if (library == nullptr) throw example::Skip("no CUDA driver: " + std::string(dlerror()));
    return library;
  }

  template <class Function>
  Function* find(const char* name) const {
    void* const symbol = dlsym(library_, name);
    if (symbol == nullptr) throw std::runtime_error(std::string("the CUDA driver has no ") + name);
    return reinterpret_cast<Function*>(symbol);
  }

  static void call(const char* name, int result) {
    if (result != 0)
      throw std::runtime_error(std::string(name) + ": CUDA error " + std::to_string(result));
  }

  void* library_;
};

// Memory of the GPU and a stream of it, given back in the end.
class OnGpu {
 public:
  explicit OnGpu(Cuda& cuda) : cuda_(cuda), memory_(cuda.allocate(kBytes)) {
    stream_ = cuda.make_stream();
  }
  ~OnGpu() {
    cuda_.destroy_stream(stream_);
    cuda_.free(memory_);
  }
  OnGpu(const OnGpu&) = delete;
  OnGpu& operator=(const OnGpu&) = delete;

  Cuda::Pointer memory() const { return memory_; }
  void* pointer() const { return reinterpret_cast<void*>(memory_); }
  void* stream() const { return stream_; }

 private:
  Cuda& cuda_;
  Cuda::Pointer memory_;
  void* stream_;
};

// hawser asks the driver whose memory it is.
hawser::Region register_gpu_memory(hawser::Engine& engine, const OnGpu& gpu) {
  hawser::Region region =
      example::need(engine.register_memory(gpu.pointer(), kBytes), "registering GPU memory");
  std::cout << "registered " << region.bytes() << " bytes of GPU " << region.gpu() << std::endl;
  return region;
}

void serve(int port) {
  Cuda cuda;
  const OnGpu gpu(cuda);  // before the engine, so that it outlives it
  const auto engine = example::need(hawser::Engine::create(), "making an engine");
  hawser::Region region = register_gpu_memory(*engine, gpu);
  const auto acceptor = example::need(engine->listen("0.0.0.0", port), "listening");
  const hawser::Link link = example::need(acceptor->accept(example::kPatienceMs), "accepting");

  example::send_token(*engine, link, region);
  // Told of it, the bytes are in the GPU's memory: whatever is started on the GPU now sees them.
  example::wait_for_notification(*engine, link);
  std::vector<std::byte> copy(kBytes);
  cuda.copy_to_host(copy.data(), gpu.memory(), kBytes);
  example::check(copy, kSeed);
  std::cout << "server: all " << kBytes << " bytes in GPU memory are right" << std::endl;
  example::say_and_close(link, "every byte is right");
  example::need(region.deregister(), "deregistering GPU memory");
}

void ask(const std::string& address, int port) {
  Cuda cuda;
  const OnGpu gpu(cuda);
  std::vector<std::byte> source(kBytes);
  const auto engine = example::need(hawser::Engine::create(), "making an engine");
  const hawser::Region region = register_gpu_memory(*engine, gpu);
  // The NICs nearest to that GPU carry the link.
  hawser::LinkOptions nearest;
  nearest.gpu = region.gpu();
  const hawser::Link link = example::need(engine->connect(address, port, nearest), "connecting");
  const hawser::RemoteRegion remote = example::receive_token(*engine, link);

  // The write begins only when the stream has come to this point; nobody waits for it here.
  example::fill(source, kSeed);
  cuda.copy_to_gpu_later(gpu.memory(), source.data(), kBytes, gpu.stream());
  hawser::TransferOptions options;
  options.cuda_stream = gpu.stream();
  options.notification = "written";
  example::need(link.write(region.span(0, kBytes), remote.at(0), options).result(), "writing");
  std::cout << "client: wrote " << kBytes << " bytes, and the server says '"
            << example::wait_for_notification(*engine, link) << "'" << std::endl;
  link.close(example::kPatienceMs);
}

}  // namespace

int main(int argc, char** argv) {
  example::Role role;
  if (!example::read_role({argv + 1, static_cast<std::size_t>(argc) - 1}, role))
    return example::usage("gpu_write");
  return example::run([&] {
    if (role.serves)
      serve(role.port);
    else
      ask(role.address, role.port);
  });
}
