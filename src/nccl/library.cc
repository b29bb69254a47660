#include "nccl/library.h"

#include <atomic>

#include "base/log.h"
#include "base/parameters.h"
#include "nccl/nccl_tuning.h"

namespace hawser::plugin {

// A child's own knows nothing of what the parent has open. Release publishes its members.
Library& Library::instance() {
  static std::atomic<Library*> current{new Library};
  Library* library = current.load(std::memory_order_acquire);
  if (!library->made_.inherited()) return *library;
  auto* const own = new Library;
  if (current.compare_exchange_strong(library, own, std::memory_order_acq_rel)) return *own;
  delete own;
  return *library;
}

// NCCL filters by NCCL_DEBUG; only where somebody set our own level does that one hold as well.
Library::Library() {
  if (!parameters::kLogLevel.text()) set_log_level(LogLevel::info);
  set_log_sink([this](LogLevel level, std::string_view line) { log_.write(level, line); });
}

Result<Context*> Library::open(NcclLog::Key log) {
  HAWSER_ASSIGN(auto core, share_core());
  const std::lock_guard lock(mutex_);
  return *open_.insert(new Context{std::move(core), log}).first;
}

Status Library::close(Context* context) {
  std::unique_ptr<Context> closing;
  {
    const std::lock_guard lock(mutex_);
    if (open_.erase(context) == 0)
      return Error(Code::invalid_argument, "no such context: was it finalized already?");
    closing.reset(context);
  }
  const LogTo log_to(closing->log);
  closing->core.reset();  // outside the lock: the last one ends the Net, which may take a while
  log_.remove(closing->log);
  return {};
}

Status Library::open_for_good(NcclLog::Key log) {
  HAWSER_ASSIGN(auto core, share_core());
  const std::lock_guard lock(mutex_);
  if (for_good_ == nullptr) {
    for_good_ = std::make_unique<Context>(Context{std::move(core), log});
  } else {
    log_.remove(log);
  }
  return {};
}

const Context* Library::context_for_good() const {
  const std::lock_guard lock(mutex_);
  return for_good_.get();
}

std::shared_ptr<Core> Library::core() const {
  const std::lock_guard lock(mutex_);
  return core_.lock();
}

char* Library::keep(const std::string& text) {
  const std::lock_guard lock(mutex_);
  return const_cast<char*>(texts_.insert(text).first->c_str());  // the ABI's type; nobody writes
}

Result<std::shared_ptr<Core>> Library::share_core() {
  const std::lock_guard lock(mutex_);
  if (auto core = core_.lock()) return core;
  tune_nccl();
  HAWSER_ASSIGN(auto core, Core::make());
  core_ = core;
  return core;
}

}  // namespace hawser::plugin
