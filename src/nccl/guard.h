// The line between hawser and NCCL: results become codes and log lines, and nothing is thrown.
#pragma once

#include <cstdio>
#include <exception>
#include <new>

#include "base/log.h"
#include "base/result.h"
#include "nccl/comm.h"
#include "nccl/nccl_log.h"
#include "nccl/result_code.h"
#include "net/abi/types.h"

namespace hawser::plugin {

inline int failed_call(const char* call, const Error& error, NcclLog::Key log) {
  const LogTo log_to(log);
  log_error("{} failed: {}", call, error.message());
  return result_code(error.code());
}

// What a caller forgot is its bug, and cheap to say.
inline Status require(bool given, const char* what) {
  if (given) return {};
  return Error(Code::invalid_argument, what);
}

// Runs `work` (-> Status) and answers NCCL.
template <class Work>
int guarded(const char* call, NcclLog::Key log, Work&& work) noexcept {
  try {
    const Status done = work();
    return done.ok() ? int{abi::kSuccess} : failed_call(call, done.error(), log);
  } catch (const std::bad_alloc&) {
    return abi::kSystemError;  // a log line would need memory, too
  } catch (...) {
    return abi::kInternalError;
  }
}

// A comm that was made before fork() is the parent's. NCCL's logger may be locked for ever, by a
// thread that only the parent has: this line goes to stderr.
template <class AnyComm>
bool usable(AnyComm& comm, const char* call) noexcept {
  if (!comm.inherited()) return true;
  std::fprintf(stderr,
               "hawser: error: %s failed: the comm was made before fork(), and is the "
               "parent's alone\n",
               call);
  return false;
}

// The same on a comm: only its first failure is logged, for NCCL goes on polling for a while.
template <class Work>
int guarded_on(PluginComm& comm, const char* call, Work&& work) noexcept {
  if (!usable(comm, call)) return abi::kSystemError;
  try {
    const Status done = work();
    if (done.ok()) return abi::kSuccess;
    if (!comm.first_failure()) return result_code(done.error().code());
    return failed_call(call, done.error(), comm.log());
  } catch (const std::bad_alloc&) {
    return abi::kSystemError;
  } catch (...) {
    return abi::kInternalError;
  }
}

}  // namespace hawser::plugin
