#include "fault/isolate_support.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "support/built.h"
#include "support/sanitizers.h"
#include "support/scoped_env.h"

namespace hawser::test {

isolate::ProcessOptions impatient() {
  isolate::ProcessOptions options;
  // A sanitizer's process takes its time to begin, the more where others want the CPUs.
  options.call_bound = Milliseconds(kSanitized ? 4000 : 1000);
  options.open_bound = Milliseconds(kSanitized ? 10'000 : 3000);
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
  return open_isolated({{built("tests/emu/libnccl-net-tcpx-emu.so"), "a test", false}}, plugin,
                       options);
}

Result<std::unique_ptr<Net>> open_isolated_plugin(const std::string& file) {
  return open_isolated({{built("tests/") + file, "a test", false}}, {}, {});
}

pid_t process_of(const Net& net) {
  return dynamic_cast<const isolate::IsolatedNet&>(net).pid();
}

bool process_exists(pid_t process) {
  return ::kill(process, 0) == 0;
}

bool readable(int fd, int timeout_ms) {
  pollfd watched{fd, POLLIN, 0};
  return ::poll(&watched, 1, timeout_ms) == 1;
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

template <class T>
Status IsolatedRun::take(End end, Result<T> result, T& into) {
  if (result.ok())
    into = *std::move(result);
  else if (heeded_.value_or(end) == end)
    return result.error();
  return {};
}

Status IsolatedRun::connect() {
  HAWSER_ASSIGN(const auto listener, receiving_.listen(0));
  HAWSER_ASSIGN(const auto connector, sending_.connect(0, listener->handle()));
  const Deadline deadline = soon();
  for (Backoff backoff; !pair.sender || !pair.receiver; backoff.idle()) {
    if (deadline.expired()) return Error(Code::timeout, "the pair was not connected");
    if (!pair.sender) HAWSER_TRY(take(End::sending, connector->try_connect(), pair.sender));
    if (!pair.receiver) HAWSER_TRY(take(End::receiving, listener->try_accept(), pair.receiver));
  }
  return {};
}

Status IsolatedRun::register_memory() {
  HAWSER_TRY(
      take(End::receiving, pair.receiver->register_memory(to.range()), receive_registration));
  return take(End::sending, pair.sender->register_memory(from.range()), send_registration);
}

Status IsolatedRun::post() {
  HAWSER_TRY(take(End::receiving,
                  pair.receiver->try_receive(to.data(), kIsolatedBytes, 0, receive_registration),
                  receive));
  return take(End::sending,
              pair.sender->try_send(from.data(), kIsolatedBytes, 0, send_registration), send);
}

Status IsolatedRun::finish() {
  const Deadline deadline = soon();
  TestResult sent, received;
  for (Backoff backoff; !sent.done || !received.done; backoff.idle()) {
    if (deadline.expired()) return Error(Code::timeout, "the message does not arrive");
    if (!received.done) HAWSER_TRY(take(End::receiving, pair.receiver->test(receive), received));
    if (!sent.done) HAWSER_TRY(take(End::sending, pair.sender->test(send), sent));
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
