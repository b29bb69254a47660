// libnccl-net-hawser.so driven as NCCL drives it: through its table of v12, with host memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/abi/tables.h"
#include "support/built.h"

namespace hawser::test {

inline const std::string kHawserPlugin = built("src/nccl/libnccl-net-hawser.so");
inline constexpr Milliseconds kPluginPatience{20000};

// The library and one of its tables; the library is given back at the end.
template <class Table>
class LoadedPlugin {
 public:
  LoadedPlugin();
  // A copy of the file is a library of its own, which holds on to nothing that another has found.
  explicit LoadedPlugin(const std::string& path);
  ~LoadedPlugin();
  LoadedPlugin(const LoadedPlugin&) = delete;
  LoadedPlugin& operator=(const LoadedPlugin&) = delete;

  const Table* operator->() const { return table_; }

 private:
  void* library_ = nullptr;
  const Table* table_ = nullptr;
};

// The lines that the plugin gave to its loggers, of all tests so far. Thread-safe.
void log_for_tests(int level, unsigned long flags, const char* file, int line, const char* format,
                   ...);
std::vector<std::string> take_plugin_log();

// A communicator's view: a context of the v12 table on loopback.
class PluginUser {
 public:
  PluginUser();
  ~PluginUser();

  const LoadedPlugin<abi::NetV12>& plugin() const { return plugin_; }
  void* context() const { return context_; }

 private:
  LoadedPlugin<abi::NetV12> plugin_;
  void* context_ = nullptr;
};

struct PluginHandle {
  alignas(8) std::byte bytes[abi::kConnectHandleBytes] = {};
};

// One connection within this process: both ends, and memory registered with each.
class PluginPair {
 public:
  PluginPair(const PluginUser& user, std::size_t bytes);
  ~PluginPair();
  PluginPair(const PluginPair&) = delete;
  PluginPair& operator=(const PluginPair&) = delete;

  const LoadedPlugin<abi::NetV12>& plugin() const { return user_.plugin(); }
  void* sender() const { return send_comm_; }
  void* receiver() const { return receive_comm_; }
  void close_sender();
  void close_receiver();

  std::byte* from(std::size_t offset) { return from_.data() + offset; }
  std::byte* to(std::size_t offset) { return to_.data() + offset; }

  // The request, or nullptr: try later. A result other than success is a test failure.
  void* send(std::size_t offset, std::size_t bytes, int tag);
  struct Buffer {
    std::size_t offset;
    std::size_t bytes;
    int tag;
  };
  void* receive(const std::vector<Buffer>& buffers);

  // The code that the call answered, for tests of failures.
  int try_send(std::size_t offset, std::size_t bytes, int tag, void** request);
  int try_receive(const std::vector<Buffer>& buffers, void** request);

 private:
  const PluginUser& user_;
  std::vector<std::byte> from_, to_;
  void* send_comm_ = nullptr;
  void* receive_comm_ = nullptr;
  void* from_handle_ = nullptr;
  void* to_handle_ = nullptr;
};

// Polls once; a result other than success is a test failure.
bool plugin_done(const PluginPair& pair, void* request, int* sizes = nullptr);
// Polls all in turn until each is done; false, and a test failure, at the deadline.
bool plugin_wait(const PluginPair& pair, std::vector<void*> requests);
// Polls until one answers with an error, and says which; 0: none within the time.
int plugin_wait_for_error(const PluginPair& pair, void* request, Milliseconds time);

// Both ends of one connection; polls both sides in turn.
struct PluginEnds {
  void* send_comm = nullptr;
  void* receive_comm = nullptr;
};
PluginEnds connect_ends(const PluginUser& user);

}  // namespace hawser::test
