// The journal of calls in progress.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "net/hosted/call_journal.h"

namespace hawser {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

CallNote register_note(std::uint64_t bytes) {
  CallNote note;
  note.entry = "regMr";
  note.device = 0;
  note.pointer = reinterpret_cast<const void*>(std::uintptr_t{0x7f001000});
  note.bytes = bytes;
  note.has_memory = note.has_kind = true;
  note.kind = MemoryKind::cuda;
  return note;
}

CallNote plain(const char* entry) {
  CallNote note;
  note.entry = entry;
  return note;
}

std::string read_all(int fd) {
  char text[4096];
  const ssize_t count = ::read(fd, text, sizeof text);
  return std::string(text, count > 0 ? static_cast<std::size_t>(count) : 0);
}

TEST(NetCallText, TellsTheArgumentsItHas) {
  EXPECT_EQ(call_text(register_note(4096)),
            "regMr(pointer=0x7f001000, bytes=4096, kind=cuda) on device 0");
  EXPECT_EQ(call_text(plain("init")), "init()");
  CallNote accept = plain("accept");
  accept.device = 12;
  EXPECT_EQ(call_text(accept), "accept() on device 12");
}

TEST(NetCallText, IsCutWhereThereIsNoRoom) {
  char text[8];
  EXPECT_EQ(format_call(register_note(1), text, sizeof text), 7u);
  EXPECT_STREQ(text, "regMr(p");
  EXPECT_EQ(format_call(register_note(1), text, 0), 0u);
  EXPECT_EQ(format_call(register_note(1), text, 1), 0u);
  EXPECT_STREQ(text, "");
}

TEST(NetCallJournal, ListsACallWhileItIsInProgress) {
  CallJournal journal;
  EXPECT_TRUE(journal.current_calls().empty());
  {
    const CallLabel label("channel 1");
    const JournaledCall call(journal, "Fake", register_note(8));
    const auto calls = journal.current_calls();
    ASSERT_EQ(calls.size(), 1u);
    EXPECT_EQ(calls[0].plugin, "Fake");
    EXPECT_EQ(calls[0].entry, "regMr");
    EXPECT_EQ(calls[0].detail, "regMr(pointer=0x7f001000, bytes=8, kind=cuda) on device 0");
    EXPECT_EQ(calls[0].label, "channel 1");
    EXPECT_EQ(calls[0].thread, ::gettid());
    EXPECT_GE(calls[0].milliseconds, 0);
    EXPECT_THAT(describe(calls[0]),
                StartsWith("stuck in regMr(pointer=0x7f001000, bytes=8, kind=cuda) on "
                           "device 0 for channel 1 of plugin Fake, for 0."));
  }
  EXPECT_TRUE(journal.current_calls().empty());
}

TEST(NetCallJournal, TellsHowLongACallHasBeenInProgress) {
  CallJournal journal;
  const JournaledCall call(journal, "Fake", plain("init"));
  const Deadline deadline = Deadline::after(Milliseconds(10000));
  while (journal.current_calls().at(0).milliseconds < 5 && !deadline.expired())
    std::this_thread::yield();
  EXPECT_GE(journal.current_calls().at(0).milliseconds, 5);
}

TEST(NetCallJournal, LabelsNestAndAreCut) {
  CallJournal journal;
  const auto label_now = [&] {
    const JournaledCall call(journal, "Fake", plain("test"));
    return journal.current_calls().at(0).label;
  };
  const CallLabel outer("channel 1");
  {
    const CallLabel inner("a label that is longer than all labels may be");
    EXPECT_EQ(label_now(), "a label that is longer than all");
  }
  EXPECT_EQ(label_now(), "channel 1");
}

TEST(NetCallJournal, IsBoundedAndCountsWhatItCouldNotNote) {
  CallJournal journal;
  std::vector<std::size_t> slots;
  for (std::size_t i = 0; i < CallJournal::kMaxCalls; ++i)
    slots.push_back(journal.begin("Fake", plain("test")));
  EXPECT_EQ(journal.unnoted_calls(), 0u);
  const std::size_t extra = journal.begin("Fake", plain("test"));
  EXPECT_EQ(journal.unnoted_calls(), 1u);
  EXPECT_EQ(journal.current_calls().size(), CallJournal::kMaxCalls);
  journal.end(extra);
  for (std::size_t slot : slots) journal.end(slot);
  EXPECT_TRUE(journal.current_calls().empty());
}

TEST(NetCallJournal, WritesCurrentCallsToADescriptor) {
  CallJournal journal;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  {
    const CallLabel label("channel 3");
    const JournaledCall call(journal, "Fake", register_note(8));
    journal.write_current_calls(ends[1]);
  }
  EXPECT_THAT(
      read_all(ends[0]),
      StartsWith(
          "hawser: plugin Fake is in regMr(pointer=0x7f001000, bytes=8, kind=cuda) on device "
          "0 for channel 3, after "));
  ::close(ends[0]);
  ::close(ends[1]);
}

// As where one process makes the calls and another one, later, reads.
TEST(NetCallJournal, LiesInGivenMemoryAndIsReadByAnother) {
  std::vector<std::uint64_t> memory((CallJournal::memory_bytes() + 63) / 64 * 8 + 8);
  void* place = memory.data();
  std::size_t room = memory.size() * sizeof memory[0];
  ASSERT_NE(std::align(64, CallJournal::memory_bytes(), place, room), nullptr);
  const CallJournal reader(place);
  EXPECT_TRUE(reader.current_calls().empty());
  {
    CallJournal writer(place);
    const CallLabel label("channel 2");
    writer.begin("Fake", register_note(8));  // and the writer is gone without an end
  }
  const auto calls = reader.current_calls();
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].plugin, "Fake");
  EXPECT_EQ(calls[0].entry, "regMr");
  EXPECT_EQ(calls[0].label, "channel 2");
  EXPECT_EQ(calls[0].detail, "regMr(pointer=0x7f001000, bytes=8, kind=cuda) on device 0");
}

// What a plugin that writes anywhere may have made of it.
TEST(NetCallJournal, ReadsMemoryOfAnyContentWithoutHarm) {
  std::vector<std::uint64_t> memory((CallJournal::memory_bytes() + 63) / 64 * 8 + 8);
  void* place = memory.data();
  std::size_t room = memory.size() * sizeof memory[0];
  ASSERT_NE(std::align(64, CallJournal::memory_bytes(), place, room), nullptr);
  std::memset(place, 0xff, CallJournal::memory_bytes());
  const CallJournal reader(place);
  for (const CurrentCall& call : reader.current_calls()) {
    EXPECT_LE(call.plugin.size(), 64u);
    EXPECT_LE(call.label.size(), CallLabel::kMaxBytes);
  }
}

TEST(NetCallJournal, TellsOfAnothersCallsAsLongAsThatLives) {
  CallJournal journal;
  auto other = std::make_shared<CallJournal>();
  journal.include(other);
  const JournaledCall own(journal, "Own", plain("init"));
  const std::size_t slot = other->begin("Other", plain("test"));
  const auto calls = journal.current_calls();
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].plugin, "Own");
  EXPECT_EQ(calls[1].plugin, "Other");
  other->end(slot);
  other.reset();
  EXPECT_EQ(journal.current_calls().size(), 1u);
}

TEST(NetCallJournal, KnowsAFewPluginsByName) {
  CallJournal journal;
  static const char* const kNames[] = {"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"};
  for (const char* name : kNames) journal.begin(name, plain("test"));
  const auto calls = journal.current_calls();
  ASSERT_EQ(calls.size(), std::size(kNames));
  for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(calls[i].plugin, kNames[i]);
  for (std::size_t i = 7; i < calls.size(); ++i) EXPECT_EQ(calls[i].plugin, "(one of many)");
}

// The fields of one call never mix with another's: entry and bytes go together.
TEST(NetCallJournal, ReadersSeeWholeCallsWhileManyThreadsMakeThem) {
  CallJournal journal;
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  static const char* const entries[] = {"a", "b", "c", "d"};
  for (std::uint64_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (std::uint64_t n = i; !stop.load(std::memory_order_relaxed); ++n) {
        CallNote note = plain(entries[n % 4]);
        note.has_memory = true;
        note.bytes = n % 4;
        const JournaledCall call(journal, "Fake", note);
      }
    });
  }
  std::size_t seen = 0;
  const Deadline deadline = Deadline::after(Milliseconds(20000));
  while (seen < 2000 && !deadline.expired()) {
    for (const CurrentCall& call : journal.current_calls()) {
      const std::string wanted = "bytes=" + std::to_string(call.entry[0] - 'a') + ")";
      EXPECT_THAT(call.detail, HasSubstr(wanted));
      ++seen;
    }
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(seen, 2000u);
}

class NetCallJournalDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(NetCallJournalDeathTest, AnExitInsideACallIsExplained) {
  const auto exit_inside = [] {
    CallJournal journal;
    journal.explain_exits();
    const CallLabel label("channel 1");
    const JournaledCall call(journal, "Fake", register_note(8));
    std::exit(7);
  };
  EXPECT_EXIT(
      exit_inside(), testing::ExitedWithCode(7),
      "plugin Fake called exit\\(\\) inside regMr\\(pointer=0x7f001000, bytes=8, kind=cuda\\) on "
      "device 0 for channel 1, after [0-9]+ ms");
}

TEST_F(NetCallJournalDeathTest, AnExitElsewhereDoesNotBlameTheCall) {
  const auto exit_outside = [] {
    CallJournal journal;
    journal.explain_exits();
    std::atomic<bool> inside{false};
    std::thread other([&] {
      const JournaledCall call(journal, "Fake", register_note(8));
      inside = true;
      while (true) ::pause();
    });
    while (!inside) std::this_thread::yield();
    std::exit(7);
  };
  EXPECT_EXIT(exit_outside(), testing::ExitedWithCode(7),
              "this program called exit\\(7\\) in the main thread, and no plugin did\n"
              "hawser: plugin Fake was, in another thread, inside regMr");
}

TEST_F(NetCallJournalDeathTest, AnOrdinaryExitSaysNothing) {
  const auto exit_quietly = [] {
    {
      CallJournal gone;
      gone.explain_exits();
      gone.begin("Fake", register_note(8));
    }
    CallJournal journal;
    journal.explain_exits();
    { const JournaledCall call(journal, "Fake", register_note(8)); }
    std::exit(0);
  };
  EXPECT_EXIT(exit_quietly(), testing::ExitedWithCode(0), "^$");
}

TEST_F(NetCallJournalDeathTest, ASignalHandlerMayWriteTheCalls) {
  static const CallJournal* journal_of_handler = nullptr;
  const auto crash_inside = [] {
    CallJournal journal;
    journal_of_handler = &journal;
    std::signal(SIGUSR1, [](int) {
      journal_of_handler->write_current_calls(STDERR_FILENO);
      ::_exit(3);
    });
    const JournaledCall call(journal, "Fake", register_note(8));
    std::raise(SIGUSR1);
  };
  EXPECT_EXIT(crash_inside(), testing::ExitedWithCode(3), "plugin Fake is in regMr");
}

}  // namespace
}  // namespace hawser
