// Isolated plugins with faults: the emulated TCPX in processes of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/isolated/isolated_net.h"
#include "support/guarded_buffer.h"
#include "support/net_pair.h"

namespace hawser::test {

inline constexpr std::size_t kIsolatedBytes = 100'000;

// Short enough for tests that wait for a hang, long enough for a busy machine.
isolate::ProcessOptions impatient();

// In a process of its own; `faults` as HAWSER_EMU_FAULTS has them.
Result<std::unique_ptr<Net>> open_isolated_emulator(const std::string& faults,
                                                    const isolate::ProcessOptions& options = {},
                                                    std::shared_ptr<CallJournal> journal = nullptr);
// Any other plugin of the tests, by its file below tests/.
Result<std::unique_ptr<Net>> open_isolated_plugin(const std::string& file);
pid_t process_of(const Net& net);
// Whether there is such a process, one that is dead and not waited for included.
bool process_exists(pid_t process);
bool readable(int fd, int timeout_ms);
// What it has used up to now.
std::chrono::nanoseconds cpu_time_of_other(pid_t process);

enum class End { receiving, sending };

// One message from a sending Net to a receiving one, as a caller goes about it.
class IsolatedRun {
 public:
  IsolatedRun(Net& receiving, Net& sending);
  ~IsolatedRun();

  // Errors of the other end are passed over from now on: when one end dies it is chance which of
  // the two hears of it first, and a connection that is cut looks like any error of a plugin's.
  void heed_only(End end) { heeded_ = end; }

  Status connect();
  Status register_memory();
  Status post();
  // Till both are done and the bytes were compared; the first error of either end.
  Status finish();
  Status all();

  NetPair pair;
  GuardedBuffer from{kIsolatedBytes}, to{kIsolatedBytes};
  Registration* send_registration = nullptr;
  Registration* receive_registration = nullptr;
  Request* send = nullptr;
  Request* receive = nullptr;

 private:
  template <class T>
  Status take(End end, Result<T> result, T& into);

  Net& receiving_;
  Net& sending_;
  std::optional<End> heeded_;  // nothing: both
};

}  // namespace hawser::test
