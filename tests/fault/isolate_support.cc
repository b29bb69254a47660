#include "fault/isolate_support.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <time.h>

#include "support/scoped_env.h"

namespace hawser::test {

isolate::ProcessOptions impatient() {
  isolate::ProcessOptions options;
  options.call_bound = Milliseconds(1000);
  options.open_bound = Milliseconds(1500);
  options.data_call_bound = Milliseconds(500);
  options.close_bound = Milliseconds(300);
  return options;
}

Result<std::unique_ptr<Net>> open_isolated_emulator(const std::string& faults,
                                                    const isolate::ProcessOptions& options,
                                                    std::shared_ptr<CallJournal> journal) {
  const ScopedEnvironment interfaces("NCCL_GPUDIRECTTCPX_SOCKET_IFNAME", "=lo");
  const ScopedEnvironment bounce("HAWSER_EMU_BOUNCE", "host");
  const ScopedEnvironment rules("HAWSER_EMU_FAULTS", faults.empty() ? nullptr : faults.c_str());
  PluginOptions plugin;
  plugin.journal = std::move(journal);
  return open_isolated(
      {{HAWSER_TEST_BINARY_DIR "/tests/emu/libnccl-net-tcpx-emu.so", "a test", false}}, plugin,
      options);
}

pid_t process_of(const Net& net) {
  return dynamic_cast<const isolate::IsolatedNet&>(net).pid();
}

bool process_exists(pid_t process) {
  return ::kill(process, 0) == 0;
}

std::chrono::nanoseconds cpu_time_of_other(pid_t process) {
  clockid_t clock{};
  timespec time{};
  EXPECT_EQ(::clock_getcpuclockid(process, &clock), 0);
  EXPECT_EQ(::clock_gettime(clock, &time), 0);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

IsolatedRun::IsolatedRun(Net& receiving, Net& sending) : receiving_(receiving), sending_(sending) {
  fill_pattern(from.span(0, kIsolatedBytes), 1);
}

IsolatedRun::~IsolatedRun() {
  if (send_registration != nullptr) {
    EXPECT_TRUE(pair.sender->deregister(send_registration).ok());
  }
  if (receive_registration != nullptr) {
    EXPECT_TRUE(pair.receiver->deregister(receive_registration).ok());
  }
}

Status IsolatedRun::connect() {
  HAWSER_ASSIGN(pair, connect_pair(receiving_, 0, sending_, 0, soon()));
  return {};
}

Status IsolatedRun::register_memory() {
  HAWSER_ASSIGN(receive_registration, pair.receiver->register_memory(to.range()));
  HAWSER_ASSIGN(send_registration, pair.sender->register_memory(from.range()));
  return {};
}

Status IsolatedRun::post() {
  HAWSER_ASSIGN(receive,
                pair.receiver->try_receive(to.data(), kIsolatedBytes, 0, receive_registration));
  HAWSER_ASSIGN(send, pair.sender->try_send(from.data(), kIsolatedBytes, 0, send_registration));
  return {};
}

Status IsolatedRun::finish() {
  const Deadline deadline = soon();
  bool sent = false, received = false;
  for (Backoff backoff; !sent || !received; backoff.idle()) {
    if (deadline.expired()) return Error(Code::timeout, "the message does not arrive");
    if (!received) {
      HAWSER_ASSIGN(const TestResult result, pair.receiver->test(receive));
      received = result.done;
    }
    if (!sent) {
      HAWSER_ASSIGN(const TestResult result, pair.sender->test(send));
      sent = result.done;
    }
  }
  const std::string wrong = pattern_mismatch(to.span(0, kIsolatedBytes), 1);
  return wrong.empty() ? Status() : Error(Code::data, wrong);
}

Status IsolatedRun::all() {
  HAWSER_TRY(connect());
  HAWSER_TRY(register_memory());
  HAWSER_TRY(post());
  return finish();
}

}  // namespace hawser::test
