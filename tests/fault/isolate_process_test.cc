// The process of an isolated plugin: found, started, ended, and no matter of anybody else's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <random>
#include <string>

#include "fault/isolate_support.h"
#include "net/isolated/host_program.h"
#include "support/scoped_env.h"
#include "support/seed.h"
#include "support/thread_limit.h"
#include "support/threads.h"

namespace hawser::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::size_t open_descriptors() {
  const auto entries = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

bool writable(int fd, int timeout_ms) {
  pollfd watched{fd, POLLOUT, 0};
  return ::poll(&watched, 1, timeout_ms) == 1;
}

TEST(IsolatedProgram, ThatIsMissingIsNamed) {
  isolate::ProcessOptions options;
  options.program = "/nowhere/hawser-plugin-host";
  const auto missing = open_isolated_emulator("", options);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), Code::unavailable);
  EXPECT_THAT(missing.error().message(), HasSubstr("/nowhere/hawser-plugin-host"));
  const ScopedEnvironment set("HAWSER_PLUGIN_HOST", "/nowhere/else");
  const auto named = open_isolated_emulator("");
  ASSERT_FALSE(named.ok());
  EXPECT_THAT(named.error().message(),
              AllOf(HasSubstr("/nowhere/else"), HasSubstr("HAWSER_PLUGIN_HOST")));
}

TEST(IsolatedProgram, ThatIsAnotherOneIsAnError) {
  isolate::ProcessOptions options;
  options.program = "/bin/true";
  const auto other = open_isolated_emulator("", options);
  ASSERT_FALSE(other.ok());
  EXPECT_THAT(other.error().message(), HasSubstr("ended with exit status 0"));
}

// However few threads there are, it is opened or it is an error: the program goes on.
TEST(IsolatedProgramDeathTest, WithoutThreadsIsAnError) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can limit the threads of another user";
  const auto open_with = [](std::size_t threads) {
    if (!allow_threads(threads)) ::_exit(kCannotLimitThreads);
    const auto net = open_isolated_emulator("", impatient());
    if (net.ok()) ::_exit(1);
    std::fprintf(stderr, "%s", net.error().message().c_str());
    ::_exit(net.error().code() == Code::system ? 0 : 2);
  };
  EXPECT_EXIT(open_with(0), testing::ExitedWithCode(0), "Resource temporarily unavailable");
  EXPECT_EXIT(open_with(1), testing::ExitedWithCode(0), "no thread is to be had for hw-isolate");
  EXPECT_EXIT(open_with(2), testing::ExitedWithCode(0), "has no thread for a call");
}

// Messages that no user of it sends: it ends, and does not crash.
TEST(IsolatedProgram, EndsOnWhatItDoesNotUnderstand) {
  const auto program = isolate::find_host_program("");
  ASSERT_TRUE(program.ok()) << program.error().message();
  std::mt19937_64 random(seed_of_this_run());
  for (int round = 0; round < 20; ++round) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    const UniqueFd ours(ends[0]), theirs(ends[1]);
    auto child = isolate::Child::start(*program, theirs.get(), STDERR_FILENO);
    ASSERT_TRUE(child.ok()) << child.error().message();
    const auto memory = isolate::ControlMemory::create();
    ASSERT_TRUE(memory.ok());
    const int descriptor = (*memory)->memory().fd();
    const auto descriptors = std::span(&descriptor, round % 2 == 0 ? 1 : 0);
    std::string text(random() % 2000, '\0');
    for (char& c : text) c = static_cast<char>(random());
    isolate::HostCall call;
    call.call = 1;
    call.kind = static_cast<isolate::HostCallKind>(round < 10 ? 0 : random() % 20);
    for (int i = 0; i < 3; ++i) {
      static_cast<void>(isolate::send_message(ours.get(), call, text,
                                              i == 0 ? descriptors : std::span<const int>(), false)
                            .ok());
      call.kind = static_cast<isolate::HostCallKind>(random() % 20);
    }
    static_cast<void>(
        isolate::send_bytes(ours.get(), std::as_bytes(std::span(text)), text, {}, false).ok());
    const auto ended = child->wait(kEventually);
    ASSERT_TRUE(ended) << round;
    EXPECT_TRUE(ended->exit_status) << "signal " << ended->signal.value_or(0);
  }
}

TEST(IsolatedProcess, EndsWithItsNetAndLeavesNothingBehind) {
  const std::size_t before = open_descriptors();
  pid_t process = -1;
  {
    const auto net = open_isolated_emulator("");
    ASSERT_TRUE(net.ok()) << net.error().message();
    process = process_of(**net);
    EXPECT_TRUE(process_exists(process));
    const Status ran = IsolatedRun(**net, **net).all();
    EXPECT_TRUE(ran.ok()) << ran.error().message();
  }
  EXPECT_FALSE(process_exists(process));  // not even one that is dead
  EXPECT_EQ(open_descriptors(), before);
}

TEST(IsolatedProcess, ThatIsKilledIsAnErrorOfEveryCall) {
  const auto net = open_isolated_emulator("");
  const auto other = open_isolated_emulator("");
  ASSERT_TRUE(net.ok() && other.ok());
  IsolatedRun run(**net, **other);
  ASSERT_TRUE(run.connect().ok() && run.register_memory().ok());
  const auto receive =
      run.pair.receiver->try_receive(run.to.data(), kIsolatedBytes, 0, run.receive_registration);
  ASSERT_TRUE(receive.ok());
  const int fd = run.pair.receiver->wait_fd();
  ASSERT_FALSE(run.pair.receiver->test(*receive)->done);
  EXPECT_FALSE(readable(fd, 0));
  ::kill(process_of(**net), SIGKILL);
  EXPECT_TRUE(readable(fd, 20'000)) << "who sleeps is not woken";
  const auto tested = run.pair.receiver->test(*receive);
  ASSERT_FALSE(tested.ok());
  EXPECT_THAT(tested.error().message(), HasSubstr("was killed by SIGKILL"));
  EXPECT_FALSE(run.pair.receiver->try_receive(run.to.data(), 1, 0, run.receive_registration).ok());
  EXPECT_FALSE(run.pair.receiver->register_memory(run.to.range()).ok());
  EXPECT_FALSE((*net)->listen(0).ok());
}

TEST(IsolatedProcess, ThatIsStoppedIsEndedAllTheSame) {
  const auto start = std::chrono::steady_clock::now();
  pid_t process = -1;
  {
    const auto net = open_isolated_emulator("", impatient());
    ASSERT_TRUE(net.ok());
    process = process_of(**net);
    ::kill(process, SIGSTOP);
    const auto listened = (*net)->listen(0);
    ASSERT_FALSE(listened.ok());
    EXPECT_THAT(listened.error().message(), HasSubstr("has not answered for "));
  }
  EXPECT_FALSE(process_exists(process));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(15));
}

// Whatever the host does about its children: neither side gets in the other's way.
TEST(IsolatedProcess, IsNoMatterOfOtherChildren) {
  const pid_t other = ::fork();
  if (other == 0) ::_exit(5);
  const auto net = open_isolated_emulator("listen=exit:7");
  ASSERT_TRUE(net.ok());
  EXPECT_THAT((*net)->listen(0).error().message(), HasSubstr("called exit(7) in listen()"));
  int status = 0;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  EXPECT_EQ(WEXITSTATUS(status), 5);
}

TEST(IsolatedProcess, TellsItsEndAlsoWhereTheHostIgnoresChildren) {
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  for (const char* how : {"listen=exit:7", "listen=segv"}) {
    const auto net = open_isolated_emulator(how);
    ASSERT_TRUE(net.ok());
    const auto listened = (*net)->listen(0);
    ASSERT_FALSE(listened.ok());
    EXPECT_THAT(listened.error().message(), HasSubstr(" in listen() on device 0"));
  }
  std::signal(SIGCHLD, before);
}

TEST(IsolatedProcess, CostsNextToNothingWhileNothingIsPosted) {
  const auto net = open_isolated_emulator("");
  ASSERT_TRUE(net.ok());
  IsolatedRun run(**net, **net);
  ASSERT_TRUE(run.all().ok());
  EXPECT_TRUE(eventually([&] {
    const auto before = cpu_time_of_other(process_of(**net));
    const Deadline look = Deadline::after(Milliseconds(300));
    for (Backoff backoff; !look.expired();) backoff.idle();
    // A hundredth of the time: sanitizers have a thread of their own that looks at the clock.
    return cpu_time_of_other(process_of(**net)) - before < std::chrono::milliseconds(3);
  }));
}

// A caller that sleeps between a test that was not done and its descriptor's call.
TEST(IsolatedProcess, WakesWhoSleeps) {
  const auto net = open_isolated_emulator("");
  ASSERT_TRUE(net.ok());
  IsolatedRun run(**net, **net);
  ASSERT_TRUE(run.connect().ok() && run.register_memory().ok());
  ReceiveComm& receiver = *run.pair.receiver;
  SendComm& sender = *run.pair.sender;
  const int arrived = receiver.wait_fd(), sent = sender.wait_fd();
  for (int round = 0; round < 50; ++round) {
    const auto receive = receiver.try_receive(run.to.data(), 1000, 0, run.receive_registration);
    ASSERT_TRUE(receive.ok());
    ASSERT_FALSE(receiver.test(*receive)->done);
    ASSERT_FALSE(readable(arrived, 0)) << round;
    const auto send = sender.try_send(run.from.data(), 1000, 0, run.send_registration);
    ASSERT_TRUE(send.ok());
    while (!sender.test(*send)->done) ASSERT_TRUE(writable(sent, 20'000)) << round;
    const Deadline deadline = soon();
    while (!receiver.test(*receive)->done) {
      ASSERT_TRUE(readable(arrived, 20'000)) << round;
      ASSERT_FALSE(deadline.expired());
    }
  }
}

// Whoever asks what is stuck also hears of calls in the other process.
TEST(IsolatedProcess, ShowsItsCallsInTheCallersJournal) {
  const auto journal = std::make_shared<CallJournal>();
  const auto net = open_isolated_emulator("listen=hang", impatient(), journal);
  ASSERT_TRUE(net.ok());
  std::thread caller([&] {
    const CallLabel label("channel 9");
    EXPECT_FALSE((*net)->listen(0).ok());
  });
  EXPECT_TRUE(eventually([&] {
    const auto calls = journal->current_calls();
    return calls.size() == 1 && calls[0].entry == "listen" && calls[0].label == "channel 9" &&
           calls[0].plugin == "GPUDirectTCPX_emulated_v7";
  }));
  caller.join();
}

}  // namespace
}  // namespace hawser::test
