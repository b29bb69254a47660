// What the loaded library holds: the loggers, and the core that all communicators of the process
// share.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/fork.h"
#include "base/result.h"
#include "nccl/core.h"
#include "nccl/nccl_log.h"
#include "net/abi/types.h"

namespace hawser::plugin {

// One communicator's hold on the core, from init to finalize.
struct Context {
  std::shared_ptr<Core> core;
  NcclLog::Key log = 0;
};

// The one object behind the C entry points: devices() and getProperties() carry no context in any
// version, and before v11 nothing does. It is never destroyed: NCCL's threads may still log while
// the process exits. A child of fork() has one of its own. Thread-safe.
class Library {
 public:
  static Library& instance();

  NcclLog& log() { return log_; }

  // v11 on: for each communicator. The core is made for the first, and goes with the last.
  Result<Context*> open(NcclLog::Key log);
  Status close(Context* context);  // and its logger
  // Up to v10: once per load, and there is no end. Loaded again, the first logger stays.
  Status open_for_good(NcclLog::Key log);

  // The context of open_for_good(); null before.
  const Context* context_for_good() const;
  // Of any communicator; null before the first and after the last.
  std::shared_ptr<Core> core() const;

  // Text for NCCL to point at: valid for ever, and one copy of each.
  char* keep(const std::string& text);

 private:
  Library();
  Result<std::shared_ptr<Core>> share_core();

  const ForkMark made_;
  NcclLog log_;
  mutable std::mutex mutex_;  // guards what follows
  std::weak_ptr<Core> core_;
  std::set<Context*> open_;            // owned; a context that is not here is not one of ours
  std::unique_ptr<Context> for_good_;  // constant once it is set
  std::set<std::string> texts_;
};

}  // namespace hawser::plugin
