// What NCCL holds of one direction of a connection: a comm, and its requests.
#pragma once

#include <cstddef>
#include <memory>

#include "base/fork.h"
#include "base/result.h"
#include "nccl/nccl_log.h"
#include "net/net.h"

namespace hawser::plugin {

class PluginComm;
class PluginSendComm;
class PluginReceiveComm;

// NCCL keeps at most so many requests of a comm in flight; more are answered with "try later".
inline constexpr std::size_t kMaxRequests = 32;
// Buffers in one multi-receive, at most.
inline constexpr int kMaxReceives = 8;

struct ReceiveGroup;

// A request as NCCL sees it. It lives in its comm, from the post until test() says done.
struct PluginRequest {
  PluginComm* comm = nullptr;
  Request* request = nullptr;     // the Net's
  std::size_t bytes = 0;          // of a send
  ReceiveGroup* group = nullptr;  // of a receive that is not simply the Net's
};

// The common part of both directions. Registrations may be made and dropped while another thread
// posts and tests; everything else is for one thread at a time.
class PluginComm {
 public:
  explicit PluginComm(NcclLog::Key log) : log_(log) {}
  virtual ~PluginComm() = default;
  PluginComm(const PluginComm&) = delete;
  PluginComm& operator=(const PluginComm&) = delete;

  // Of the communicator it belongs to.
  NcclLog::Key log() const { return log_; }

  // True: a copy in a child of fork(), which only the parent may use. No call does anything then.
  bool inherited() const { return made_.inherited(); }

  // True once: NCCL polls a comm that failed for a while, and one line says it all.
  bool first_failure() {
    const bool first = !failed_;
    failed_ = true;
    return first;
  }

  // What it is; null otherwise.
  virtual PluginSendComm* as_sender() { return nullptr; }
  virtual PluginReceiveComm* as_receiver() { return nullptr; }

  Result<Registration*> register_memory(void* data, std::size_t bytes, int kind);
  Status deregister(Registration* registration) { return net_comm().deregister(registration); }

  // True: done, and the request is gone. `sizes` may be null; otherwise it gets the bytes that
  // moved, of a receive one entry for each of its buffers.
  virtual Result<bool> test(PluginRequest* request, int* sizes) = 0;

 private:
  virtual Comm& net_comm() = 0;

  const NcclLog::Key log_;
  const ForkMark made_;
  bool failed_ = false;
};

}  // namespace hawser::plugin
