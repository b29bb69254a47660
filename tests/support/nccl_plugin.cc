#include "support/nccl_plugin.h"

#include <dlfcn.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <mutex>

namespace hawser::test {
namespace {

struct Lines {
  std::mutex mutex;
  std::vector<std::string> lines;
};
Lines& lines() {
  static Lines all;
  return all;
}

int ignore_event(void**, int, void*, std::int64_t, void*) {
  return abi::kSuccess;
}

}  // namespace

template <class Table>
LoadedPlugin<Table>::LoadedPlugin() : LoadedPlugin(kHawserPlugin) {}

template <class Table>
LoadedPlugin<Table>::LoadedPlugin(const std::string& path) {
  ::setenv("HAWSER_SOCKET_IFNAME", "=lo", 1);  // read when the first communicator comes
  library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  EXPECT_NE(library_, nullptr) << dlerror();
  if (library_ == nullptr) return;
  const std::string symbol = fmt::format("ncclNetPlugin_v{}", Table::kVersion);
  table_ = static_cast<const Table*>(dlsym(library_, symbol.c_str()));
  EXPECT_NE(table_, nullptr) << symbol;
}

template <class Table>
LoadedPlugin<Table>::~LoadedPlugin() {
  if (library_ != nullptr) dlclose(library_);
}

template class LoadedPlugin<abi::NetV5>;
template class LoadedPlugin<abi::NetV6>;
template class LoadedPlugin<abi::NetV7>;
template class LoadedPlugin<abi::NetV8>;
template class LoadedPlugin<abi::NetV9>;
template class LoadedPlugin<abi::NetV10>;
template class LoadedPlugin<abi::NetV11>;
template class LoadedPlugin<abi::NetV12>;

void log_for_tests(int level, unsigned long, const char*, int, const char* format, ...) {
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  const std::lock_guard lock(lines().mutex);
  lines().lines.push_back(fmt::format("{} {}", level, line));
}

std::vector<std::string> take_plugin_log() {
  const std::lock_guard lock(lines().mutex);
  return std::exchange(lines().lines, {});
}

PluginUser::PluginUser() {
  abi::CommConfig config{abi::kTrafficClassUndefined};
  EXPECT_EQ(plugin_->init(&context_, 1, &config, &log_for_tests, &ignore_event), abi::kSuccess);
}

PluginUser::~PluginUser() {
  EXPECT_EQ(plugin_->finalize(context_), abi::kSuccess);
}

PluginEnds connect_ends(const PluginUser& user) {
  const auto& plugin = user.plugin();
  PluginHandle handle;
  PluginEnds ends;
  void* listen_comm = nullptr;
  EXPECT_EQ(plugin->listen(user.context(), 0, handle.bytes, &listen_comm), abi::kSuccess);
  const Deadline deadline = Deadline::after(kPluginPatience);
  for (Backoff backoff; ends.send_comm == nullptr || ends.receive_comm == nullptr; backoff.idle()) {
    if (ends.send_comm == nullptr) {
      EXPECT_EQ(plugin->connect(user.context(), 0, handle.bytes, &ends.send_comm, nullptr),
                abi::kSuccess);
    }
    if (ends.receive_comm == nullptr) {
      EXPECT_EQ(plugin->accept(listen_comm, &ends.receive_comm, nullptr), abi::kSuccess);
    }
    if (deadline.expired() || testing::Test::HasFailure()) break;
  }
  EXPECT_EQ(plugin->closeListen(listen_comm), abi::kSuccess);
  return ends;
}

PluginPair::PluginPair(const PluginUser& user, std::size_t bytes)
    : user_(user), from_(bytes), to_(bytes) {
  const PluginEnds ends = connect_ends(user);
  send_comm_ = ends.send_comm;
  receive_comm_ = ends.receive_comm;
  EXPECT_EQ(plugin()->regMr(send_comm_, from_.data(), bytes, abi::kHostPointer, &from_handle_),
            abi::kSuccess);
  EXPECT_EQ(plugin()->regMr(receive_comm_, to_.data(), bytes, abi::kHostPointer, &to_handle_),
            abi::kSuccess);
}

PluginPair::~PluginPair() {
  close_sender();
  close_receiver();
}

void PluginPair::close_sender() {
  if (send_comm_ == nullptr) return;
  EXPECT_EQ(plugin()->deregMr(send_comm_, from_handle_), abi::kSuccess);
  EXPECT_EQ(plugin()->closeSend(std::exchange(send_comm_, nullptr)), abi::kSuccess);
}

void PluginPair::close_receiver() {
  if (receive_comm_ == nullptr) return;
  EXPECT_EQ(plugin()->deregMr(receive_comm_, to_handle_), abi::kSuccess);
  EXPECT_EQ(plugin()->closeRecv(std::exchange(receive_comm_, nullptr)), abi::kSuccess);
}

int PluginPair::try_send(std::size_t offset, std::size_t bytes, int tag, void** request) {
  *request = reinterpret_cast<void*>(1);  // as NCCL presets it
  return plugin()->isend(send_comm_, from(offset), bytes, tag, from_handle_, nullptr, request);
}

int PluginPair::try_receive(const std::vector<Buffer>& buffers, void** request) {
  std::vector<void*> data, handles(buffers.size(), to_handle_), profile(buffers.size());
  std::vector<std::size_t> sizes;
  std::vector<int> tags;
  for (const Buffer& buffer : buffers) {
    data.push_back(to(buffer.offset));
    sizes.push_back(buffer.bytes);
    tags.push_back(buffer.tag);
  }
  *request = reinterpret_cast<void*>(1);
  return plugin()->irecv(receive_comm_, static_cast<int>(buffers.size()), data.data(), sizes.data(),
                         tags.data(), handles.data(), profile.data(), request);
}

void* PluginPair::send(std::size_t offset, std::size_t bytes, int tag) {
  void* request = nullptr;
  EXPECT_EQ(try_send(offset, bytes, tag, &request), abi::kSuccess);
  return request;
}

void* PluginPair::receive(const std::vector<Buffer>& buffers) {
  void* request = nullptr;
  EXPECT_EQ(try_receive(buffers, &request), abi::kSuccess);
  return request;
}

bool plugin_done(const PluginPair& pair, void* request, int* sizes) {
  int done = 0;
  EXPECT_EQ(pair.plugin()->test(request, &done, sizes), abi::kSuccess)
      << testing::PrintToString(take_plugin_log());
  return done != 0;
}

bool plugin_wait(const PluginPair& pair, std::vector<void*> requests) {
  const Deadline deadline = Deadline::after(kPluginPatience);
  for (Backoff backoff; !requests.empty(); backoff.idle()) {
    std::erase_if(requests, [&](void* request) { return plugin_done(pair, request); });
    if (!deadline.expired() && !testing::Test::HasFailure()) continue;
    ADD_FAILURE() << requests.size() << " requests do not end";
    return false;
  }
  return true;
}

int plugin_wait_for_error(const PluginPair& pair, void* request, Milliseconds time) {
  const Deadline deadline = Deadline::after(time);
  for (Backoff backoff; !deadline.expired(); backoff.idle()) {
    int done = 0;
    if (const int result = pair.plugin()->test(request, &done, nullptr); result != abi::kSuccess)
      return result;
    if (done != 0) return 0;
  }
  return 0;
}

}  // namespace hawser::test
