// What the comms of a hosted plugin share: the plugin, its devices, and the way to call it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "gpu/gpu.h"
#include "net/call_journal.h"
#include "net/hosted_registration.h"
#include "net/net.h"
#include "net/page_budget.h"
#include "net/plugin_api.h"
#include "net/plugin_error.h"
#include "net/plugin_log.h"

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
        log_(plugin_log(api_->name())),
        journal_(std::move(journal)),
        gpu_(std::move(gpu)) {}

  PluginApi& api() const { return *api_; }
  const char* name() const { return log_.name; }  // lives as long as the process
  abi::LogFunction log_function() const { return log_.function; }
  Gpu* gpu() const { return gpu_.get(); }
  void* context() const { return context_; }
  void** context_place() { return &context_; }
  PageBudgets& page_budgets() const { return page_budgets_; }

  // A rare call: told to the log before it is made (unless it is a repetition), with the GPU
  // current, noted in the journal.
  template <class Call>
  Status call(const CallNote& note, Call&& make, bool repeated = false) const {
    if (!repeated) log_debug("{}: calling {}", name(), call_text(note));
    if (gpu_ != nullptr) HAWSER_TRY(gpu_->make_current());
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
  PluginLog log_;
  std::shared_ptr<CallJournal> journal_;
  std::shared_ptr<Gpu> gpu_;
  void* context_ = nullptr;  // the plugin's, since v11
  mutable PageBudgets page_budgets_;
};

}  // namespace hawser
