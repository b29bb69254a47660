// An isolated plugin that ends its process, or hangs: the caller's goes on, and hears in which
// call.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "fault/isolate_support.h"
#include "support/threads.h"

namespace hawser::test {
namespace {

using std::chrono::seconds;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::MatchesRegex;

// Of a run with a hang: each step of it, and then the end of the process.
constexpr seconds kBoundedRun{30};

struct FaultyCall {
  const char* call;
  bool receives = true;  // the side whose plugin has the fault
  bool rare = true;      // not one of the data path
};

constexpr FaultyCall kFaultyCalls[] = {{"listen"},
                                       {"accept"},
                                       {"connect", false},
                                       {"regMr"},
                                       {"regMr", false},
                                       {"isend", false, false},
                                       {"irecv", true, false},
                                       {"test", true, false},
                                       {"test", false, false},
                                       {"irecvConsumed", true, false}};

struct Fate {
  const char* action;
  const char* words;
};

class IsolatedCalls : public testing::TestWithParam<std::tuple<FaultyCall, Fate>> {
 protected:
  static const FaultyCall& call() { return std::get<0>(GetParam()); }
  static const Fate& fate() { return std::get<1>(GetParam()); }
  static End faulty_end() { return call().receives ? End::receiving : End::sending; }
  static std::string rule() { return std::string(call().call) + "=" + fate().action; }
};

std::string name_of(const testing::TestParamInfo<std::tuple<FaultyCall, Fate>>& tested) {
  const auto& [call, fate] = tested.param;
  std::string action = fate.action;
  action = action.substr(0, action.find(':'));
  return std::string(call.call) + (call.receives ? "_receiving_" : "_sending_") + action;
}

// Everything that is called from now on has the same to say.
void expect_all_fail_with(Net& net, const std::string& words) {
  const auto listened = net.listen(0);
  ASSERT_FALSE(listened.ok());
  EXPECT_THAT(listened.error().message(), HasSubstr(words));
  const auto connector = net.connect(0, Handle{});
  ASSERT_TRUE(connector.ok());
  const auto connected = (*connector)->try_connect();
  ASSERT_FALSE(connected.ok());
  EXPECT_THAT(connected.error().message(), HasSubstr(words));
  const auto ended = net.ended();
  ASSERT_TRUE(ended);
  EXPECT_THAT(ended->message(), HasSubstr(words));
}

// What a sound receiver does when its sender's process has gone: it ends, and soon. Of a sound
// sender nothing is certain: as the real plugin, the emulated one says no word of a message that
// has been announced and is not written.
void expect_sound_end(IsolatedRun& run) {
  if (run.send == nullptr || run.receive == nullptr) return;
  EXPECT_TRUE(eventually([&] {
    const auto result = run.pair.receiver->test(run.receive);
    return !result.ok() || result->done;
  }));
}

class IsolatedEndings : public IsolatedCalls {};
TEST_P(IsolatedEndings, AreErrorsThatNameTheCall) {
  auto sound = open_isolated_emulator("");
  ASSERT_TRUE(sound.ok()) << sound.error().message();
  auto faulty = open_isolated_emulator(rule());
  ASSERT_TRUE(faulty.ok()) << faulty.error().message();
  const std::string words =
      "GPUDirectTCPX_emulated_v7 " + std::string(fate().words) + " in " + call().call + "(";
  {
    IsolatedRun run(call().receives ? **faulty : **sound, call().receives ? **sound : **faulty);
    run.heed_only(faulty_end());
    const Status ran = run.all();
    ASSERT_FALSE(ran.ok());
    EXPECT_EQ(ran.error().code(), Code::plugin) << ran.error().message();
    EXPECT_THAT(ran.error().message(), HasSubstr(words));
    expect_all_fail_with(**faulty, words);
    if (!call().receives) expect_sound_end(run);
  }
  // The plugin can be opened again, and the sound side works.
  const auto again = open_isolated_emulator("");
  ASSERT_TRUE(again.ok()) << again.error().message();
  const Status ran = IsolatedRun(**again, **sound).all();
  EXPECT_TRUE(ran.ok()) << ran.error().message();
}
INSTANTIATE_TEST_SUITE_P(Plugin, IsolatedEndings,
                         testing::Combine(testing::ValuesIn(kFaultyCalls),
                                          testing::Values(Fate{"exit:7", "called exit(7)"},
                                                          Fate{"abort", "died of SIGABRT"},
                                                          Fate{"segv", "died of SIGSEGV"})),
                         name_of);

class IsolatedHangs : public IsolatedCalls {};
TEST_P(IsolatedHangs, AreErrorsWithinABound) {
  const auto start = std::chrono::steady_clock::now();
  auto sound = open_isolated_emulator("");
  ASSERT_TRUE(sound.ok()) << sound.error().message();
  {
    auto faulty = open_isolated_emulator(rule(), impatient());
    ASSERT_TRUE(faulty.ok()) << faulty.error().message();
    IsolatedRun run(call().receives ? **faulty : **sound, call().receives ? **sound : **faulty);
    run.heed_only(faulty_end());
    const Status ran = run.all();
    ASSERT_FALSE(ran.ok());
    EXPECT_EQ(ran.error().code(), Code::timeout) << ran.error().message();
    EXPECT_THAT(ran.error().message(),
                HasSubstr("the plugin GPUDirectTCPX_emulated_v7 is stuck in " +
                          std::string(call().call) + "("));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, kBoundedRun);
}
INSTANTIATE_TEST_SUITE_P(Plugin, IsolatedHangs,
                         testing::Combine(testing::ValuesIn(kFaultyCalls),
                                          testing::Values(Fate{"hang", ""})),
                         name_of);

TEST(IsolatedInit, EndsAndHangsAreErrorsOfOpening) {
  const auto exited = open_isolated_emulator("init=exit:3");
  ASSERT_FALSE(exited.ok());
  EXPECT_THAT(exited.error().message(), HasSubstr("called exit(3) in init()"));
  const auto crashed = open_isolated_emulator("getProperties=segv");
  ASSERT_FALSE(crashed.ok());
  EXPECT_THAT(crashed.error().message(), HasSubstr("died of SIGSEGV in getProperties()"));
  const auto hung = open_isolated_emulator("init=hang", impatient());
  ASSERT_FALSE(hung.ok());
  EXPECT_EQ(hung.error().code(), Code::timeout);
  EXPECT_THAT(hung.error().message(), HasSubstr("stuck in init()"));
}

TEST(IsolatedInit, APluginsOwnErrorComesThrough) {
  const auto failed = open_isolated_emulator("init=fail:2");
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code(), Code::plugin);
  EXPECT_THAT(failed.error().message(), HasSubstr("init() failed: 2"));
}

// One connection that hangs is no matter of the others.
TEST(IsolatedHang, OfOneConnectionLeavesTheOthersAlone) {
  const auto sound = open_isolated_emulator("");
  ASSERT_TRUE(sound.ok());
  const auto faulty = open_isolated_emulator("test@0=hang", impatient());
  ASSERT_TRUE(faulty.ok());
  IsolatedRun hangs(**faulty, **sound), goes_on(**faulty, **sound);
  EXPECT_THAT(hangs.all().error().message(), HasSubstr("stuck in test("));
  const Status ran = goes_on.all();
  EXPECT_TRUE(ran.ok()) << ran.error().message();
  EXPECT_FALSE((*faulty)->ended());
}

// As TCPX does it: no call is to blame, but what the plugin printed before says why. It warned a
// thousand times, and that is no thousand lines.
TEST(IsolatedEnding, ByAThreadOfThePluginsOwnTellsItsLastWords) {
  testing::internal::CaptureStderr();
  {
    const auto net = open_isolated_plugin("plugins/libnccl-net-loopback-exits-alone.so");
    ASSERT_TRUE(net.ok()) << net.error().message();
    static_cast<void>((*net)->listen(0).ok());
    ASSERT_TRUE(eventually([&] { return (*net)->ended().has_value(); }));
    EXPECT_THAT((*net)->ended()->message(),
                MatchesRegex("the plugin GPUDirectTCPX_emulated_exit_v7 called exit\\(3\\) in a "
                             "thread of its own \\(sim-worker\\).*; its last words were "
                             "\"no free space for recv task [0-9]+.*\", \"rx no cmsg\": it ran in "
                             "a process of its own, and this one goes on.*"));
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("\nrx no cmsg\n"));
  EXPECT_THAT(said, ContainsRegex("no free space for recv task 999 \\(said [0-9]+ more times"));
  EXPECT_THAT(said, HasSubstr("plugin GPUDirectTCPX_emulated_exit_v7 called exit(3) in thread "
                              "sim-worker"));
  EXPECT_THAT(said, HasSubstr("usual causes: \"rx no cmsg\""));
  EXPECT_LT(std::count(said.begin(), said.end(), '\n'), 30) << said;
}

// What the plugin has completed before it died counts.
TEST(IsolatedEnding, LosesNothingThatWasDone) {
  const auto sound = open_isolated_emulator("");
  const auto dying = open_isolated_emulator("");
  ASSERT_TRUE(sound.ok() && dying.ok());
  IsolatedRun run(**dying, **sound);
  ASSERT_TRUE(run.connect().ok() && run.register_memory().ok());
  ReceiveComm& receiver = *run.pair.receiver;
  const int arrived = receiver.wait_fd();
  const auto receive =
      receiver.try_receive(run.to.data(), kIsolatedBytes, 0, run.receive_registration);
  ASSERT_TRUE(receive.ok());
  ASSERT_FALSE(receiver.test(*receive)->done);  // from here on the descriptor tells of it
  const auto send =
      run.pair.sender->try_send(run.from.data(), kIsolatedBytes, 0, run.send_registration);
  ASSERT_TRUE(send.ok());
  ASSERT_TRUE(readable(arrived, 20'000));
  ::kill(process_of(**dying), SIGKILL);
  ASSERT_TRUE(eventually([&] { return (*dying)->ended().has_value(); }));
  const auto received = receiver.test(*receive);
  ASSERT_TRUE(received.ok()) << received.error().message();
  EXPECT_TRUE(received->done);
  EXPECT_EQ(pattern_mismatch(run.to.span(0, kIsolatedBytes), 1), "");
}

}  // namespace
}  // namespace hawser::test
