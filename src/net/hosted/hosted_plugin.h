// What the comms of a hosted plugin share: the plugin, its devices, and the way to call it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "gpu/gpu.h"
#include "memory/buffer.h"
#include "net/hosted/call_journal.h"
#include "net/hosted/hosted_registration.h"
#include "net/hosted/page_budget.h"
#include "net/hosted/plugin_api.h"
#include "net/hosted/plugin_error.h"
#include "net/hosted/plugin_log.h"
#include "net/hosted/process_plugin.h"
#include "net/net.h"

namespace hawser {

// A device as the plugin told it, and what follows for a host. Immutable but for its
// registrations, which lock themselves.
struct HostedDevice {
  int index = 0;
  PluginProperties properties;
  NetCapabilities capabilities;
  Devmem devmem = Devmem::none;
  bool flushes = false;  // a receive into CUDA memory is visible only after iflush
  std::size_t max_registration_bytes = 0;
  // Where registrations serve the whole device; otherwise each comm has its own set.
  std::unique_ptr<RegistrationSet> registrations;
};

// Owns the adapter and the context. Thread-safe as far as the plugin is. Outlives what it made.
class HostedPlugin {
 public:
  HostedPlugin(std::unique_ptr<PluginApi> api, std::shared_ptr<CallJournal> journal,
               std::shared_ptr<Gpu> gpu)
      : api_(std::move(api)),
        process_(ProcessPlugin::of(api_->table())),
        log_(plugin_log(api_->name())),
        journal_(std::move(journal)),
        gpu_(std::move(gpu)) {}
  ~HostedPlugin() { log_.limiter->flush(); }
  HostedPlugin(const HostedPlugin&) = delete;
  HostedPlugin& operator=(const HostedPlugin&) = delete;

  PluginApi& api() const { return *api_; }
  const char* name() const { return log_.name; }  // lives as long as the process
  abi::LogFunction log_function() const { return log_.function; }
  ProcessPlugin& process() const { return process_; }
  // That it was opened with, for comms that name none; may be null.
  const std::shared_ptr<Gpu>& gpu() const { return gpu_; }
  void* context() const { return context_; }
  void** context_place() { return &context_; }
  PageBudgets& page_budgets() const { return page_budgets_; }

  // Memory of that GPU (null: the host's) that receives are posted with which belong elsewhere: see
  // HostedReceiveComm::posting. Shared by all its comms, as long as there are any.
  Result<std::shared_ptr<Buffer>> stand_in(const std::shared_ptr<Gpu>& gpu,
                                           std::size_t bytes) const;

  // A rare call: told to the log before it is made (unless it is a repetition), with `gpu` current,
  // where there is one, noted in the journal.
  template <class Call>
  Status call(const Gpu* gpu, const CallNote& note, Call&& make, bool repeated = false) const {
    if (!repeated) log_debug("{}: calling {}", name(), call_text(note));
    if (gpu != nullptr) HAWSER_TRY(gpu->make_current());
    return fast_call(note, std::forward<Call>(make));
  }

  // A call of the data path: only noted.
  template <class Call>
  Status fast_call(const CallNote& note, Call&& make) const {
    const int result = [&] {
      const JournaledCall journaled(*journal_, name(), note);
      return make();
    }();
    if (result == abi::kSuccess) return {};
    return plugin_error(name(), note, result);
  }

 private:
  std::unique_ptr<PluginApi> api_;
  ProcessPlugin& process_;
  PluginLog log_;
  std::shared_ptr<CallJournal> journal_;
  std::shared_ptr<Gpu> gpu_;
  void* context_ = nullptr;  // the plugin's, since v11
  mutable PageBudgets page_budgets_;
  mutable std::mutex mutex_;  // guards stand_ins_
  mutable std::map<const Gpu*, std::weak_ptr<Buffer>> stand_ins_;
};

// Where a comm of a plugin is made and driven. Borrows plugin and device, which the Net owns.
struct HostedPlace {
  const HostedPlugin& plugin;
  const HostedDevice& device;
  std::shared_ptr<Gpu> gpu;  // current in the calls of the comm; null where there is none

  CallNote note(const char* entry) const {
    CallNote note;
    note.entry = entry;
    note.device = device.index;
    return note;
  }
  // A rare call: see HostedPlugin.
  template <class Call>
  Status call(const CallNote& note, Call&& make, bool repeated = false) const {
    return plugin.call(gpu.get(), note, std::forward<Call>(make), repeated);
  }
  // A call of the data path. Its context, too, is that of the comm's GPU where comms are a GPU's.
  template <class Call>
  Status fast_call(const CallNote& note, Call&& make) const {
    if (device.capabilities.comms_of_a_gpu && gpu != nullptr) HAWSER_TRY(gpu->make_current());
    return plugin.fast_call(note, std::forward<Call>(make));
  }
  // Whether receives go by CUDA registrations: the plugin puts nothing into host memory then.
  bool receives_by_gpu() const {
    return device.capabilities.needs_unpack && device.capabilities.cuda_pointers && gpu != nullptr;
  }
  // Null where creations need not take turns.
  CreationTurn* creation_turn() const {
    return device.capabilities.one_creation_at_a_time ? &plugin.process().creation_turn() : nullptr;
  }
};

}  // namespace hawser
