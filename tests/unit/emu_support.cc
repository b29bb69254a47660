#include "emu_support.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdarg>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <thread>

#include "support/built.h"

namespace hawser::emu_test {
namespace {

std::mutex log_mutex;
std::string log_text;  // under log_mutex

void collect_log(int /*level*/, unsigned long /*flags*/, const char* /*file*/, int /*line*/,
                 const char* format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  const std::lock_guard lock(log_mutex);
  log_text += std::string(line) + "\n";
}

std::string copy_of_plugin() {
  const std::string original = test::built("tests/emu/libnccl-net-tcpx-emu.so");
  std::string path = (std::filesystem::temp_directory_path() / "hawser-emu-XXXXXX").string();
  const int fd = mkstemp(path.data());
  if (fd >= 0) close(fd);
  std::filesystem::copy_file(original, path, std::filesystem::copy_options::overwrite_existing);
  return path;
}

// The variables that the emulator reads, so that the caller's environment does not matter.
constexpr const char* kVariables[] = {
    "NCCL_DYNAMIC_CHUNK_SIZE", "NCCL_GPUDIRECTTCPX_SOCKET_IFNAME",
    "HAWSER_SYSFS_ROOT",       "HAWSER_CUDA_LIBRARY",
    "HAWSER_EMU_POOL_PAGES",   "HAWSER_EMU_FRAGMENTS",
    "HAWSER_EMU_BOUNCE",       "HAWSER_EMU_FAULTS",
    "HAWSER_EMU_GPU_NICS",     "HAWSER_EMU_HOST_RECEIVES",
    "HAWSER_EMU_IMPORT_MS",    "HAWSER_EMU_PEER_DEATH",
};

class ScopedVariables {
 public:
  explicit ScopedVariables(const Environment& environment) {
    for (const char* name : kVariables) {
      if (const char* value = std::getenv(name)) before_[name] = value;
      unsetenv(name);
    }
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  }
  ~ScopedVariables() {
    for (const char* name : kVariables) unsetenv(name);
    for (const auto& [name, value] : before_) setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  Environment before_;
};

}  // namespace

bool eventually(const std::function<bool()>& ready) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < deadline) {
    if (ready()) return true;
    std::this_thread::yield();
  }
  return ready();
}

Plugin::Plugin(Environment environment, bool initialise) : environment_(std::move(environment)) {
  std::signal(SIGPIPE, SIG_IGN);
  environment_.emplace("NCCL_DYNAMIC_CHUNK_SIZE", "524288");
  path_ = copy_of_plugin();
  library_ = dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library_ == nullptr) {
    ADD_FAILURE() << dlerror();
    std::abort();
  }
  table_ = static_cast<const emu::NetTable*>(dlsym(library_, "ncclNetPlugin_v7"));
  read_stats_ = reinterpret_cast<void (*)(HawserEmuStats*)>(dlsym(library_, "hawser_emu_stats"));
  if (initialise) {
    EXPECT_EQ(init(), emu::kSuccess);
  }
}

Plugin::~Plugin() {
  dlclose(library_);
  std::filesystem::remove(path_);
}

int Plugin::init() {
  const ScopedVariables scoped(environment_);
  return table_->init(collect_log);
}

HawserEmuStats Plugin::stats() const {
  HawserEmuStats stats;
  read_stats_(&stats);
  return stats;
}

int Plugin::device(const std::string& name) const {
  int count = 0;
  table_->devices(&count);
  for (int i = 0; i < count; ++i) {
    emu::Properties properties{};
    table_->get_properties(i, &properties);
    if (name == properties.name) return i;
  }
  return -1;
}

std::string Plugin::log() {
  const std::lock_guard lock(log_mutex);
  return log_text;
}

void Plugin::clear_log() {
  const std::lock_guard lock(log_mutex);
  log_text.clear();
}

PageBuffer::PageBuffer(std::size_t bytes, unsigned char fill)
    : data_(static_cast<unsigned char*>(std::aligned_alloc(emu::kPageBytes, bytes))),
      bytes_(bytes) {
  std::memset(data(), fill, bytes);
}

void PageBuffer::fill_pattern(std::uint32_t seed) {
  for (std::size_t i = 0; i < bytes_; ++i)
    data()[i] = static_cast<unsigned char>((i * 2654435761U + seed * 40503U) >> 11);
}

Pair::Pair(Plugin& plugin, int device)
    : plugin_(plugin), device_(device >= 0 ? device : plugin.device("lo")) {}

Pair::~Pair() {
  close();
}

void Pair::listen() {
  ASSERT_EQ(plugin_->listen(device_, handle.data(), &listen_comm), emu::kSuccess);
}

bool Pair::connect_step() {
  emu::DeviceHandle* out = &device_handle;
  bool fine = true;
  if (send_comm == nullptr)
    fine = plugin_->connect(device_, handle.data(), &send_comm, nullptr) == emu::kSuccess;
  if (receive_comm == nullptr)
    fine = plugin_->accept(listen_comm, &receive_comm, &out) == emu::kSuccess && fine;
  return fine;
}

bool Pair::connect() {
  if (listen_comm == nullptr) listen();
  const bool connected = eventually(
      [&] { return !connect_step() || (send_comm != nullptr && receive_comm != nullptr); });
  if (!connected || send_comm == nullptr || receive_comm == nullptr) return false;
  return register_memory(send_comm, source, &send_registration) == emu::kSuccess &&
         register_receives() == emu::kSuccess;
}

int Pair::register_receives() {
  if (gpu_of_receives == nullptr)
    return register_memory(receive_comm, destination, &receive_registration);
  auto made = Buffer::cuda(gpu_of_receives, destination.bytes());
  EXPECT_TRUE(made.ok());
  device_memory_.emplace(std::move(*made));
  device_destination = device_memory_->range().data;
  return plugin_->reg_mr(receive_comm, device_destination, static_cast<int>(destination.bytes()),
                         emu::kPointerCuda, &receive_registration);
}

void Pair::close() {
  if (send_registration != nullptr) plugin_->dereg_mr(send_comm, send_registration);
  if (receive_registration != nullptr) plugin_->dereg_mr(receive_comm, receive_registration);
  if (send_comm != nullptr) plugin_->close_send(send_comm);
  if (receive_comm != nullptr) plugin_->close_receive(receive_comm);
  if (listen_comm != nullptr) plugin_->close_listen(listen_comm);
  device_memory_.reset();
  device_destination = send_registration = receive_registration = nullptr;
  send_comm = receive_comm = listen_comm = nullptr;
}

int Pair::register_memory(void* comm, const PageBuffer& buffer, void** registration) const {
  return plugin_->reg_mr(comm, buffer.data(), static_cast<int>(buffer.bytes()), emu::kPointerHost,
                         registration);
}

int Pair::send(const void* data, int bytes, void** request) const {
  return plugin_->isend(send_comm, const_cast<void*>(data), bytes, 0, send_registration, request);
}

int Pair::receive(void* data, int bytes, void** request) const {
  int tag = 0;
  void* registration = receive_registration;
  if (device_destination != nullptr)
    data = static_cast<unsigned char*>(device_destination) +
           (static_cast<unsigned char*>(data) - destination.data());
  return plugin_->irecv(receive_comm, 1, &data, &bytes, &tag, &registration, request);
}

int Pair::test(void* request, int* done) const {
  return plugin_->test(request, done, nullptr);
}

int Pair::finish(void* send_request, void* receive_request) const {
  int sent = 0;
  int received = 0;
  int problem = emu::kSuccess;
  const bool ended = eventually([&] {
    if (!sent) problem = test(send_request, &sent);
    if (problem == emu::kSuccess && !received) problem = test(receive_request, &received);
    return problem != emu::kSuccess || (sent && received);
  });
  return ended ? problem : -1;
}

const emu::UnpackHandle& Pair::unpack_handle() const {
  return *static_cast<const emu::UnpackHandle*>(device_handle.handle);
}

std::size_t Pair::unpack(std::uint64_t sequence, void* to) const {
  const emu::UnpackHandle& memory = unpack_handle();
  const std::size_t slot = sequence % emu::kSlots;
  const std::uint64_t count = __atomic_load_n(&memory.meta->cnt[slot], __ATOMIC_ACQUIRE);
  std::size_t bytes = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const emu::LoadMeta& piece = memory.meta->mem[slot][i];
    std::memcpy(static_cast<std::byte*>(to) + piece.destination_offset,
                static_cast<const std::byte*>(memory.bounce) + piece.source_offset, piece.bytes);
    bytes += piece.bytes;
  }
  return bytes;
}

Connected::Connected(Plugin& plugin) : Pair(plugin) {
  EXPECT_TRUE(connect());
  source.fill_pattern(1);
}

int Connected::transfer(int bytes, std::uint64_t sequence) {
  void* sending = nullptr;
  void* receiving = nullptr;
  if (const int problem = send(source.data(), bytes, &sending)) return problem;
  if (const int problem = receive(destination.data(), bytes, &receiving)) return problem;
  if (const int problem = finish(sending, receiving)) return problem;
  std::memset(destination.data(), 0, destination.bytes());
  EXPECT_EQ(unpack(sequence, destination.data()), static_cast<std::size_t>(bytes));
  EXPECT_EQ(std::memcmp(source.data(), destination.data(), static_cast<std::size_t>(bytes)), 0);
  return consume(receiving);
}

}  // namespace hawser::emu_test
