// What the tests of the emulated TCPX share: a fresh copy of the plugin, and a host that
// follows all the rules until a test makes it break one.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "emu/abi_v7.h"
#include "emu/emu_stats.h"
#include "emu/unpack_layout.h"
#include "gpu/gpu.h"
#include "memory/buffer.h"

namespace hawser::emu_test {

// Where pairs post their receives: a place test's GPU; nullptr: in host memory. A GPU's data does
// not land where it was posted, so the buffer is but a key.
inline std::shared_ptr<Gpu> gpu_of_receives;

using Environment = std::map<std::string, std::string>;

// Polls until `ready`, 10 s at most; what it said last.
bool eventually(const std::function<bool()>& ready);

// A copy of the plugin's file, loaded on its own: init is once per process, and the counters are
// of the copy. The environment holds while init runs.
class Plugin {
 public:
  explicit Plugin(Environment environment = {}, bool initialise = true);
  ~Plugin();
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  int init();
  const emu::NetTable* operator->() const { return table_; }
  HawserEmuStats stats() const;
  int device(const std::string& name) const;  // -1: there is none
  const std::string& path() const { return path_; }

  static std::string log();  // of all copies, since the last clear
  static void clear_log();

 private:
  Environment environment_;
  std::string path_;
  void* library_ = nullptr;
  const emu::NetTable* table_ = nullptr;
  void (*read_stats_)(HawserEmuStats*) = nullptr;
};

// A page-aligned piece of host memory.
class PageBuffer {
 public:
  explicit PageBuffer(std::size_t bytes, unsigned char fill = 0);
  unsigned char* data() const { return data_.get(); }
  std::size_t bytes() const { return bytes_; }
  void fill_pattern(std::uint32_t seed);

 private:
  struct Free {
    void operator()(unsigned char* memory) const { std::free(memory); }
  };
  std::unique_ptr<unsigned char, Free> data_;
  std::size_t bytes_;
};

// One connection over loopback, both ends in this process and thread.
class Pair {
 public:
  explicit Pair(Plugin& plugin, int device = -1);
  ~Pair();

  // Listens only; connect() does the rest, and says whether it came about.
  void listen();
  bool connect();
  bool connect_step();  // one call of connect and of accept, where they are still wanted
  void close();

  int register_memory(void* comm, const PageBuffer& buffer, void** registration) const;
  int send(const void* data, int bytes, void** request) const;
  // `data` is in `destination`; on a GPU the same place of its buffer is posted.
  int receive(void* data, int bytes, void** request) const;
  int test(void* request, int* done) const;
  int consume(void* request) const { return plugin_->irecv_consumed(receive_comm, 1, request); }
  // Both ends until both are done (or one fails: its code).
  int finish(void* send_request, void* receive_request) const;

  const emu::UnpackHandle& unpack_handle() const;
  // Copies what the n-th receive got out of the pool.
  std::size_t unpack(std::uint64_t sequence, void* destination) const;

  Plugin& plugin_;
  int device_;
  alignas(8) std::array<std::byte, emu::kHandleBytes> handle{};
  emu::DeviceHandle device_handle{};
  void* listen_comm = nullptr;
  void* send_comm = nullptr;
  void* receive_comm = nullptr;
  void* send_registration = nullptr;
  void* receive_registration = nullptr;
  void* device_destination = nullptr;  // of device_memory_: where receives go, if there
  PageBuffer source{1 << 20};
  PageBuffer destination{1 << 20};

 private:
  int register_receives();
  std::optional<Buffer> device_memory_;
};

// One that is connected, with a pattern to send.
struct Connected : Pair {
  explicit Connected(Plugin& plugin);
  // One whole message, to the start of `destination`; the sequence number is the caller's count.
  int transfer(int bytes, std::uint64_t sequence);
};

}  // namespace hawser::emu_test
