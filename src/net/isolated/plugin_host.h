// The process of a plugin: serves one user over the socket that it was started with.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "gpu/gpu.h"
#include "net/isolated/comm_driver.h"
#include "net/isolated/control_memory.h"
#include "net/isolated/messages.h"
#include "net/isolated/task_pool.h"

namespace hawser::isolate {

// The socket, in the plugin's process.
inline constexpr int kHostSocket = 3;

// What a plugin's PluginOptions::before_init is, by what it is opened with.
using BeforeInit = std::function<std::function<Status(const PluginFound&)>(const PluginOptions&)>;

// What `hawser-plugin-host` is: serves till its user closes the socket, or dies. Never returns to a
// process that goes on: it ends by _exit(), because threads may be stuck in the plugin.
int run_plugin_host(const BeforeInit& before_init);

// Reads requests, and has each served by a thread of its own: a call that hangs holds up no other.
// Lives as long as the process.
class PluginHost {
 public:
  PluginHost(int socket, std::shared_ptr<ControlMemory> control, BeforeInit before_init)
      : socket_(socket),
        control_(std::move(control)),
        before_init_(std::move(before_init)),
        pool_(control_->fields()) {}

  // What answers one request; in a thread that has the names of the one that asks.
  void serve(HostCall request, std::string text, std::vector<UniqueFd> descriptors);
  // HostCall after request, until the socket is closed.
  void loop();

 private:
  // A listener or connector: whoever waits in it stops when it is cancelled.
  struct Making {
    std::unique_ptr<Listener> listener;
    std::atomic<bool> cancelled{false};
  };
  struct Job {
    HostCall request;
    std::string text;
    std::vector<UniqueFd> descriptors;
  };

  void begin_serving(const HostCall& request);
  void end_serving(const HostCall& request);
  void run(Job& job);
  Result<Reply> answer(Job& job, std::string& text);
  Result<Reply> open(const Job& job, std::string& text);
  Result<Reply> device(const HostCall& request, std::string& text) const;
  Result<Reply> listen(const HostCall& request);
  Result<Reply> accept(Job& job);
  Result<Reply> connect(Job& job);
  Result<Reply> register_slots(const HostCall& request);
  void close_making(const HostCall& request);
  void close_comm(std::uint32_t comm);
  Result<Reply> shut_down();

  Result<std::shared_ptr<Making>> add_making(std::uint32_t object);
  template <class CommKind, class Try>
  Result<Reply> make_comm(Job& job, Making& making, bool sends, Try attempt);
  Result<DriverParts> parts_of(Job& job, bool sends);
  Result<std::shared_ptr<Gpu>> gpu_of(int ordinal);
  Status keep(std::uint32_t comm, const Making& making, std::shared_ptr<CommDriver> driver);
  Status check_open() const;

  const int socket_;
  const std::shared_ptr<ControlMemory> control_;
  const BeforeInit before_init_;
  TaskPool pool_;
  std::atomic<bool> open_{false};  // publishes the two below, which do not change any more
  std::shared_ptr<Gpu> gpu_;
  std::unique_ptr<Net> net_;
  std::mutex gpus_mutex_;  // held while one is opened; guards gpus_
  std::map<int, std::shared_ptr<Gpu>> gpus_;
  std::mutex mutex_;  // guards what follows
  std::map<std::uint32_t, std::shared_ptr<Making>> makings_;
  std::map<std::uint32_t, std::shared_ptr<CommDriver>> comms_;
  std::condition_variable served_;
  std::size_t serving_ = 0;  // requests that are not done, without those to shut down
};

}  // namespace hawser::isolate
