// HAWSER_EMU_FAULTS: every action happens where it is told to, and nowhere else.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <thread>

#include "emu_support.h"

namespace hawser::emu_test {
namespace {

Environment faults(const std::string& text) {
  return Environment{{"HAWSER_EMU_FAULTS", text}};
}

TEST(EmuFaultText, ThatIsMalformedFailsInitAndSaysWhy) {
  const std::pair<const char*, const char*> cases[] = {
      {"regMr", "no \"=\""},
      {"foo=fail:3", "unknown call \"foo\""},
      {"regMr@x=fail:3", "want a channel number or *"},
      {"regMr@-1=fail:3", "want a channel number or *"},
      {"regMr@1=explode", "unknown action \"explode\""},
      {"regMr@1=fail", "wants a whole number from 1 to 7"},
      {"regMr@1=fail:0", "wants a whole number from 1 to 7"},
      {"regMr@1=fail:8", "wants a whole number from 1 to 7"},
      {"regMr@1=fail:3x", "wants a whole number"},
      {"accept@1=delay:-5", "wants a whole number"},
      {"accept@1=never:3", "never takes nothing after it"},
      {"test@1=segv:3", "segv takes nothing after it"},
      {"listen@*=print:", "print wants a text"},
      {"init@0=fail:2", "init has no channel"},
      {"server:init=fail:2", "init has no side"},
      {"regMr@1=never", "does not go with"},
      {"payload@1=fail:3", "does not go with"},
      {"test@1=corrupt:3", "does not go with"},
      {"peer@1=stall", "does not go with"},
      {"devmem=die", "does not go with"},
      {"devmem@1=conflict", "devmem has no channel"},
      {"worker=fail:3", "does not go with"},
      {"fragments=never", "does not go with"},
      {"pool=never", "does not go with"},
      {"test=none", "does not go with"},
      {"accept@1=never;;x=fail:1", "unknown call \"x\""},
  };
  for (const auto& [text, why] : cases) {
    Plugin::clear_log();
    Plugin plugin(faults(text), false);
    EXPECT_EQ(plugin.init(), emu::kInvalidArgument) << text;
    EXPECT_NE(Plugin::log().find("HAWSER_EMU_FAULTS"), std::string::npos) << text;
    EXPECT_NE(Plugin::log().find(why), std::string::npos) << text << ": " << Plugin::log();
  }
}

TEST(EmuFaultText, HasALimit) {
  std::string text;
  for (int i = 0; i < 64; ++i) text += "regMr@7=fail:3;";
  Plugin fine(faults(text), false);
  EXPECT_EQ(fine.init(), emu::kSuccess);
  Plugin::clear_log();
  Plugin many(faults(text + "regMr@7=fail:3"), false);
  EXPECT_EQ(many.init(), emu::kInvalidArgument);
  EXPECT_NE(Plugin::log().find("more than 64 rules"), std::string::npos);
}

TEST(EmuFaultInit, Fails) {
  Plugin plugin(faults("init=fail:2"), false);
  EXPECT_EQ(plugin.init(), emu::kSystemError);
}

TEST(EmuFaultInit, DevicesAndPropertiesFail) {
  Plugin plugin(faults("devices=fail:2;getProperties=fail:5"));
  int count = 0;
  emu::Properties properties{};
  EXPECT_EQ(plugin->devices(&count), 2);
  EXPECT_EQ(plugin->get_properties(0, &properties), 5);
}

// Two channels: the fault is of channel 1, and channel 0 does not notice.
struct TwoChannels {
  explicit TwoChannels(const std::string& text) : plugin(faults(text)), zero(plugin), one(plugin) {}
  Plugin plugin;
  Pair zero;
  Pair one;
};

TEST(EmuFaultFail, ListenOfOneChannel) {
  TwoChannels two("listen@1=fail:2");
  EXPECT_TRUE(two.zero.connect());
  EXPECT_EQ(two.plugin->listen(two.one.device_, two.one.handle.data(), &two.one.listen_comm), 2);
}

TEST(EmuFaultFail, RegMrOfOneChannelOnBothSides) {
  TwoChannels two("regMr@1=fail:3");
  EXPECT_TRUE(two.zero.connect());
  EXPECT_FALSE(two.one.connect());
  ASSERT_NE(two.one.receive_comm, nullptr);
  EXPECT_EQ(two.one.register_memory(two.one.receive_comm, two.one.destination,
                                    &two.one.receive_registration),
            3);
  EXPECT_EQ(two.plugin.stats().violations, 0U);
  EXPECT_EQ(two.plugin.stats().faults_applied, 2U);
}

TEST(EmuFaultFail, RegMrOfOneSideOnly) {
  for (const bool server : {true, false}) {
    TwoChannels two(server ? "server:regMr=fail:3" : "client:regMr=fail:3");
    EXPECT_FALSE(two.zero.connect());
    void* registration = nullptr;
    const auto result = [&](void* comm) {
      return two.zero.register_memory(comm, two.zero.source, &registration);
    };
    EXPECT_EQ(result(two.zero.send_comm), server ? 0 : 3);
    EXPECT_EQ(result(two.zero.receive_comm), server ? 3 : 0);
  }
}

TEST(EmuFaultFail, ConnectAndAccept) {
  TwoChannels two("connect@0=fail:6;accept@1=fail:2");
  two.zero.listen();
  two.one.listen();
  void* comm = nullptr;
  emu::DeviceHandle* out = &two.one.device_handle;
  EXPECT_EQ(two.plugin->connect(two.zero.device_, two.zero.handle.data(), &comm, nullptr), 6);
  EXPECT_EQ(two.plugin->connect(two.one.device_, two.one.handle.data(), &comm, nullptr), 0);
  EXPECT_EQ(two.plugin->accept(two.one.listen_comm, &comm, &out), 2);
}

TEST(EmuFaultFail, RequestsTestsAndConsumption) {
  TwoChannels two("isend@1=fail:2;irecv@0=fail:6;deregMr@1=fail:5;getDeviceMr@1=fail:4");
  ASSERT_TRUE(two.zero.connect());
  ASSERT_TRUE(two.one.connect());
  void* request = nullptr;
  EXPECT_EQ(two.zero.send(two.zero.source.data(), 1, &request), 0);
  EXPECT_EQ(two.one.send(two.one.source.data(), 1, &request), 2);
  EXPECT_EQ(two.zero.receive(two.zero.destination.data(), 1, &request), 6);
  EXPECT_EQ(two.one.receive(two.one.destination.data(), 1, &request), 0);
  EXPECT_EQ(two.plugin->dereg_mr(two.one.send_comm, two.one.send_registration), 5);
  EXPECT_EQ(two.plugin->get_device_mr(two.one.send_comm, nullptr, nullptr), 4);
}

TEST(EmuFaultFail, TestConsumedAndCloses) {
  Plugin plugin(
      faults("client:test=fail:6;irecvConsumed=fail:2;closeSend=fail:2;closeRecv=fail:3;"
             "closeListen=fail:1"));
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  void* request = nullptr;
  int done = 0;
  ASSERT_EQ(pair.send(pair.source.data(), 1, &request), 0);
  EXPECT_EQ(pair.test(request, &done), 6);
  ASSERT_EQ(pair.receive(pair.destination.data(), 1, &request), 0);
  EXPECT_EQ(pair.consume(request), 2);
  EXPECT_EQ(plugin->close_send(std::exchange(pair.send_comm, nullptr)), 2);
  EXPECT_EQ(plugin->close_receive(std::exchange(pair.receive_comm, nullptr)), 3);
  EXPECT_EQ(plugin->close_listen(std::exchange(pair.listen_comm, nullptr)), 1);
}

TEST(EmuFaultNever, AcceptOfOneChannelIsNullForEver) {
  TwoChannels two("accept@1=never");
  EXPECT_TRUE(two.zero.connect());
  two.one.listen();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(two.one.connect_step());
  EXPECT_EQ(two.one.receive_comm, nullptr);
  EXPECT_EQ(two.one.send_comm, nullptr);
}

// RxDM refuses the flow's rule.
TEST(EmuFaultRxdm, ARefusedRuleFailsTheAcceptAtOnce) {
  TwoChannels two("rule@1=fail:3");
  EXPECT_TRUE(two.zero.connect());
  EXPECT_FALSE(two.one.connect());
  EXPECT_EQ(two.one.receive_comm, nullptr);
  int result = 0;  // of the other end, which hears of it
  ASSERT_TRUE(eventually([&] {
    result =
        two.plugin->connect(two.one.device_, two.one.handle.data(), &two.one.send_comm, nullptr);
    return result != 0;
  }));
  EXPECT_EQ(result, emu::kInternalError);
  EXPECT_EQ(two.one.send_comm, nullptr);
  EXPECT_EQ(two.plugin.stats().violations, 0U);
}

// It does not answer.
TEST(EmuFaultRxdm, ARuleThatIsNeverInstalledHoldsBothEnds) {
  TwoChannels two("rule@1=never");
  EXPECT_TRUE(two.zero.connect());
  two.one.listen();
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(two.one.connect_step());
  EXPECT_EQ(two.one.receive_comm, nullptr);
  EXPECT_EQ(two.one.send_comm, nullptr);
}

// Nor does it have the pool.
TEST(EmuFaultRxdm, APoolThatIsRefusedFailsTheAccept) {
  Plugin plugin(faults("pool@0=fail:2"));
  Pair pair(plugin);
  EXPECT_FALSE(pair.connect());
  EXPECT_EQ(pair.receive_comm, nullptr);
}

TEST(EmuFaultFragments, AReceiveOfBytesEndsWithNone) {
  TwoChannels two("fragments@1=none");
  for (Pair* pair : {&two.zero, &two.one}) {
    ASSERT_TRUE(pair->connect());
    void* sending = nullptr;
    void* receiving = nullptr;
    ASSERT_EQ(pair->send(pair->source.data(), 100000, &sending), 0);
    ASSERT_EQ(pair->receive(pair->destination.data(), 100000, &receiving), 0);
    ASSERT_EQ(pair->finish(sending, receiving), 0);
    EXPECT_EQ(pair->unpack(0, pair->destination.data()), pair == &two.one ? 0U : 100000U);
    EXPECT_EQ(pair->consume(receiving), 0);
  }
  EXPECT_EQ(two.plugin.stats().pages_in_use, 0U);
}

TEST(EmuFaultNever, RequestsAreNullForEver) {
  Plugin plugin(faults("isend=never;irecv=never"));
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  void* request = &pair;
  EXPECT_EQ(pair.send(pair.source.data(), 1, &request), 0);
  EXPECT_EQ(request, nullptr);
  request = &pair;
  EXPECT_EQ(pair.receive(pair.destination.data(), 1, &request), 0);
  EXPECT_EQ(request, nullptr);
}

TEST(EmuFaultNever, AStalledTestIsNeverDone) {
  Plugin plugin(faults("server:test@0=stall"));
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  void* sending = nullptr;
  void* receiving = nullptr;
  ASSERT_EQ(pair.send(pair.source.data(), 100, &sending), 0);
  ASSERT_EQ(pair.receive(pair.destination.data(), 100, &receiving), 0);
  int sent = 0;
  ASSERT_TRUE(eventually([&] { return pair.test(sending, &sent) != 0 || sent; }));
  for (int i = 0; i < 1000; ++i) {
    int done = 1;
    ASSERT_EQ(pair.test(receiving, &done), 0);
    ASSERT_EQ(done, 0);
  }
}

std::chrono::milliseconds time_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               start);
}

TEST(EmuFaultDelay, ConnectIsNotReadyBefore) {
  Plugin plugin(faults("connect@0=delay:150"));
  Pair pair(plugin);
  EXPECT_GE(time_of([&] { EXPECT_TRUE(pair.connect()); }).count(), 150);
}

TEST(EmuFaultDelay, RegMrSleeps) {
  Plugin plugin(faults("server:regMr@0=delay:150"));
  Pair pair(plugin);
  EXPECT_GE(time_of([&] { EXPECT_TRUE(pair.connect()); }).count(), 150);
}

// RxDM is asked to take the rule back.
TEST(EmuFaultDelay, CloseRecvSleeps) {
  Plugin plugin(faults("closeRecv@0=delay:150"));
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  EXPECT_GE(time_of([&] { pair.close(); }).count(), 150);
}

TEST(EmuFaultDelay, TheImportOfThePoolTakesItsTime) {
  Plugin plugin(faults("pool@0=delay:150"));
  Pair pair(plugin);
  EXPECT_GE(time_of([&] { EXPECT_TRUE(pair.connect()); }).count(), 150);
}

TEST(EmuFaultDelay, RequestsAndTestsComeLater) {
  Plugin plugin(faults("isend=delay:100;server:test=delay:100"));
  Pair pair(plugin);
  ASSERT_TRUE(pair.connect());
  void* sending = nullptr;
  void* receiving = nullptr;
  EXPECT_GE(time_of([&] {
              EXPECT_TRUE(eventually([&] {
                EXPECT_EQ(pair.send(pair.source.data(), 100, &sending), 0);
                return sending != nullptr;
              }));
            }).count(),
            100);
  ASSERT_EQ(pair.receive(pair.destination.data(), 100, &receiving), 0);
  EXPECT_GE(time_of([&] { EXPECT_EQ(pair.finish(sending, receiving), 0); }).count(), 100);
}

TEST(EmuFaultPayload, OneByteOfOneChannelIsWrong) {
  TwoChannels two("payload@1=corrupt:104096");
  for (Pair* pair : {&two.zero, &two.one}) {
    ASSERT_TRUE(pair->connect());
    pair->source.fill_pattern(3);
    for (std::uint64_t message = 0; message < 3; ++message) {
      void* sending = nullptr;
      void* receiving = nullptr;
      ASSERT_EQ(pair->send(pair->source.data(), 100000, &sending), 0);
      ASSERT_EQ(pair->receive(pair->destination.data(), 100000, &receiving), 0);
      ASSERT_EQ(pair->finish(sending, receiving), 0);
      ASSERT_EQ(pair->unpack(message, pair->destination.data()), 100000U);
      ASSERT_EQ(pair->consume(receiving), 0);
      std::vector<std::size_t> wrong;
      for (std::size_t i = 0; i < 100000; ++i)
        if (pair->source.data()[i] != pair->destination.data()[i]) wrong.push_back(i);
      const bool hit = pair == &two.one && message == 1;
      EXPECT_EQ(wrong, hit ? std::vector<std::size_t>{4096} : std::vector<std::size_t>{});
    }
  }
}

// Streams until something is said to be wrong; what each end was told.
std::pair<int, int> stream_until_broken(Plugin& plugin, Pair& pair) {
  int send_result = 0;
  int receive_result = 0;
  void* sending = nullptr;
  void* receiving = nullptr;
  EXPECT_TRUE(eventually([&] {
    int done = 0;
    if (send_result == 0 && sending == nullptr)
      send_result = pair.send(pair.source.data(), 100000, &sending);
    if (send_result == 0) send_result = pair.test(sending, &done);
    if (done) sending = nullptr;
    done = 0;
    if (receive_result == 0 && receiving == nullptr)
      receive_result = pair.receive(pair.destination.data(), 100000, &receiving);
    if (receive_result == 0) receive_result = pair.test(receiving, &done);
    if (done) pair.consume(std::exchange(receiving, nullptr));
    return send_result != 0 && receive_result != 0;
  })) << plugin.stats().bytes_sent;
  return {send_result, receive_result};
}

TEST(EmuFaultPeer, DiesAfterSoManyBytesAndBothEndsAreTold) {
  for (const char* text : {"server:peer@0=die:250000", "client:peer@0=die:250000"}) {
    SCOPED_TRACE(text);
    Environment environment = faults(text);
    environment["HAWSER_EMU_PEER_DEATH"] = "6";
    Plugin plugin(environment);
    Pair pair(plugin);
    ASSERT_TRUE(pair.connect());
    EXPECT_EQ(stream_until_broken(plugin, pair), (std::pair{emu::kRemoteError, emu::kRemoteError}));
    const HawserEmuStats stats = plugin.stats();
    EXPECT_EQ(stats.violations, 0U) << stats.last_violation;
    const bool server = text[0] == 's';
    EXPECT_GE(server ? stats.bytes_received : stats.bytes_sent, 250000U);
    EXPECT_LT(server ? stats.bytes_received : stats.bytes_sent, 250000U + 4096);
  }
}

TEST(EmuFaultPeer, DiesAtOnceOnOneChannelOnly) {
  TwoChannels two("server:peer@1=die");
  ASSERT_TRUE(two.zero.connect());
  ASSERT_TRUE(two.one.connect());
  EXPECT_EQ(stream_until_broken(two.plugin, two.one).second, emu::kSystemError);
  EXPECT_EQ(two.plugin.stats().bytes_received, 0U);
  void* sending = nullptr;
  void* receiving = nullptr;
  ASSERT_EQ(two.zero.send(two.zero.source.data(), 100, &sending), 0);
  ASSERT_EQ(two.zero.receive(two.zero.destination.data(), 100, &receiving), 0);
  EXPECT_EQ(two.zero.finish(sending, receiving), 0);
}

// Listens on all, connects all, then registers on the receiving ends in order.
std::vector<int> register_all(Plugin& plugin, std::vector<std::unique_ptr<Pair>>& pairs) {
  for (auto& pair : pairs) pair->listen();
  for (auto& pair : pairs) {
    EXPECT_TRUE(eventually([&] {
      EXPECT_TRUE(pair->connect_step());
      return pair->send_comm != nullptr && pair->receive_comm != nullptr;
    }));
  }
  std::vector<int> results;
  for (auto& pair : pairs)
    results.push_back(
        pair->register_memory(pair->receive_comm, pair->destination, &pair->receive_registration));
  EXPECT_EQ(plugin.stats().violations, 0U);
  return results;
}

TEST(EmuFaultDevmem, OfChannelsCreatedTogetherOnlyOneRegisters) {
  Plugin::clear_log();
  Plugin plugin(faults("server:devmem=conflict"));
  std::vector<std::unique_ptr<Pair>> pairs;
  for (int i = 0; i < 4; ++i) pairs.push_back(std::make_unique<Pair>(plugin));
  EXPECT_EQ(register_all(plugin, pairs), (std::vector<int>{3, 3, 3, 0}));
  EXPECT_NE(Plugin::log().find("devmem conflict (emulated)"), std::string::npos);
}

TEST(EmuFaultDevmem, ChannelsCreatedOneByOneAreFine) {
  Plugin plugin(faults("devmem=conflict"));
  std::vector<std::unique_ptr<Pair>> pairs;
  for (int i = 0; i < 4; ++i) {
    pairs.push_back(std::make_unique<Pair>(plugin));
    EXPECT_TRUE(pairs.back()->connect()) << i;
  }
}

TEST(EmuFaultDevmem, AChannelThatWasGivenUpIsInNobodysWay) {
  Plugin plugin(faults("devmem=conflict"));
  Pair given_up(plugin);
  given_up.listen();
  Pair pair(plugin);
  given_up.close();
  EXPECT_TRUE(pair.connect());
}

// What a child that runs `work` with these faults ends with, as waitpid says it, and its stdout.
struct Ending {
  int status = 0;
  std::string output;
};

Ending in_a_child(const std::string& text, const std::function<void(Pair&)>& work) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  std::fflush(stdout);  // or the child says it again
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    Plugin plugin(faults(text));
    unlink(plugin.path().c_str());  // however this ends
    {
      Pair pair(plugin);
      work(pair);
    }
    _exit(77);
  }
  close(ends[1]);
  Ending ending;
  char buffer[256];
  for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
    ending.output.append(buffer, static_cast<std::size_t>(got));
  close(ends[0]);
  EXPECT_EQ(waitpid(child, &ending.status, 0), child);
  return ending;
}

TEST(EmuFaultProcess, Exits) {
  const Ending ending = in_a_child("regMr@*=exit:5", [](Pair& pair) { pair.connect(); });
  ASSERT_TRUE(WIFEXITED(ending.status));
  EXPECT_EQ(WEXITSTATUS(ending.status), 5);
}

TEST(EmuFaultProcess, Aborts) {
  const Ending ending = in_a_child("accept@0=abort", [](Pair& pair) {
    std::signal(SIGABRT, SIG_DFL);
    pair.connect();
  });
  ASSERT_TRUE(WIFSIGNALED(ending.status));
  EXPECT_EQ(WTERMSIG(ending.status), SIGABRT);
}

TEST(EmuFaultProcess, Crashes) {
  const Ending ending = in_a_child("client:isend@0=segv", [](Pair& pair) {
    std::signal(SIGSEGV, SIG_DFL);
    pair.connect();
    void* request = nullptr;
    pair.send(pair.source.data(), 1, &request);
  });
  ASSERT_TRUE(WIFSIGNALED(ending.status));
  EXPECT_EQ(WTERMSIG(ending.status), SIGSEGV);
}

TEST(EmuFaultProcess, PrintsOnStdoutAndGoesOn) {
  const Ending ending =
      in_a_child("listen@*=print:hello there", [](Pair& pair) { EXPECT_TRUE(pair.connect()); });
  ASSERT_TRUE(WIFEXITED(ending.status));
  EXPECT_EQ(WEXITSTATUS(ending.status), 77);
  EXPECT_EQ(ending.output, "emulated TCPX: hello there\n");
}

TEST(EmuFaultProcess, PrintsABoundedNumberOfTimes) {
  const Ending ending = in_a_child("accept=print:again;accept=never", [](Pair& pair) {
    pair.listen();
    for (int i = 0; i < 1000; ++i) pair.connect_step();
  });
  EXPECT_EQ(std::count(ending.output.begin(), ending.output.end(), '\n'), 64);
}

TEST(EmuFaultProcess, HangsInsideTheCall) {
  const Ending ending = in_a_child("irecv@0=hang", [](Pair& pair) {
    EXPECT_TRUE(pair.connect());
    std::signal(SIGALRM, [](int) { _exit(9); });
    alarm(1);  // the only way out of it
    void* request = nullptr;
    pair.receive(pair.destination.data(), 1, &request);
  });
  ASSERT_TRUE(WIFEXITED(ending.status));
  EXPECT_EQ(WEXITSTATUS(ending.status), 9);
}

TEST(EmuFaultOrder, TheFirstRuleThatEndsTheCallDecides) {
  Plugin plugin(faults("regMr@3=fail:1;regMr=delay:1;regMr@0=fail:5;regMr=fail:6"));
  Pair pair(plugin);
  EXPECT_FALSE(pair.connect());
  void* registration = nullptr;
  EXPECT_EQ(pair.register_memory(pair.send_comm, pair.source, &registration), 5);
}

}  // namespace
}  // namespace hawser::emu_test
