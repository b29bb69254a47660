// What plugins print, and what their result codes say.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "net/hosted/call_journal.h"
#include "net/hosted/plugin_error.h"
#include "net/hosted/plugin_log.h"

namespace hawser {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

// Collects log lines, at every level, for the length of a test.
class NetPluginLog : public testing::Test {
 protected:
  NetPluginLog() : level_(log_level()) {
    set_log_level(LogLevel::debug);
    flush_plugin_logs();  // of what other tests said
    set_log_sink([this](LogLevel level, std::string_view line) {
      lines_.push_back(std::to_string(static_cast<int>(level)) + " " + std::string(line));
    });
  }
  ~NetPluginLog() override {
    flush_plugin_logs();
    set_log_sink({});
    set_log_level(level_);
  }

  LogLevel level_;
  std::vector<std::string> lines_;
};

TEST_F(NetPluginLog, LinesCarryThePluginsNameAndALevelForPeople) {
  const PluginLog log = plugin_log("Some");
  log.function(abi::kLogWarn, 1, "file", 2, "lost %d of %s\n", 3, "four");
  log.function(abi::kLogInfo, 1, "file", 2, "told");
  log.function(abi::kLogAbort, 1, nullptr, 0, "ends");
  log.function(abi::kLogTrace, 1, "file", 2, "traced");
  log.function(99, 1, "file", 2, "unheard of");
  EXPECT_THAT(lines_, ElementsAre("1 plugin Some: lost 3 of four", "3 plugin Some: told",
                                  "0 plugin Some: ends", "3 plugin Some: traced",
                                  "3 plugin Some: unheard of"));
}

TEST_F(NetPluginLog, LongLinesAreCutAndNoFormatIsNoLine) {
  const PluginLog log = plugin_log("Some");
  log.function(abi::kLogWarn, 1, "file", 2, "%s", std::string(5000, 'x').c_str());
  log.function(abi::kLogWarn, 1, "file", 2, nullptr);
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_EQ(lines_[0].size(), std::string("1 plugin Some: ").size() + 1023);
  EXPECT_THAT(lines_[0], StartsWith("1 plugin Some: xxx"));
}

TEST_F(NetPluginLog, ANameHasOneFunctionAndOthersHaveTheirOwn) {
  const PluginLog some = plugin_log("Some");
  EXPECT_EQ(plugin_log("Some").function, some.function);
  EXPECT_EQ(plugin_log("Some").name, some.name);
  const PluginLog other = plugin_log("Other");
  EXPECT_NE(other.function, some.function);
  other.function(abi::kLogWarn, 0, "", 0, "x");
  EXPECT_THAT(lines_, ElementsAre("1 plugin Other: x"));
}

TEST_F(NetPluginLog, LongNamesAreCut) {
  const PluginLog log = plugin_log(std::string(500, 'n').c_str());
  EXPECT_EQ(std::string(log.name), std::string(kMaxPluginNameBytes, 'n'));
}

TEST_F(NetPluginLog, MayBeCalledFromManyThreads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int n = 0; n < 100; ++n)
        plugin_log("Some").function(abi::kLogInfo, 0, "", 0, "line %d", n);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lines_.size(), 400u);  // who debugs gets every line
}

// How many times a warning was said, by its lines.
std::uint64_t times_said(const std::vector<std::string>& lines) {
  static const std::regex kCount(R"(\(said (\d+) more times in the last)");
  std::uint64_t sum = 0;
  for (const std::string& line : lines) {
    std::smatch match;
    sum += std::regex_search(line, match, kCount) ? std::stoull(match[1]) : 1;
  }
  return sum;
}

TEST_F(NetPluginLog, WarningsOfEveryPollBecomeAHandfulOfLines) {
  constexpr int kThreads = 3, kPolls = 50'000;
  const auto start = Clock::system().now();
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < kPolls; ++n)
        plugin_log("Some").function(abi::kLogWarn, 0, "", 0, "No free space for recv task %p, %d",
                                    static_cast<void*>(&n), n);
    });
  for (std::thread& thread : threads) thread.join();
  flush_plugin_logs();
  const auto took = std::chrono::duration_cast<Milliseconds>(Clock::system().now() - start);
  EXPECT_LE(lines_.size(), 2u + static_cast<std::size_t>(took / LogLimiter::kInterval));
  EXPECT_THAT(lines_.front(), StartsWith("1 plugin Some: No free space for recv task 0x"));
  EXPECT_EQ(times_said(lines_), std::uint64_t{kThreads} * kPolls);
}

TEST_F(NetPluginLog, WhatWasNotToldIsWrittenWithoutALock) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const PluginLog log = plugin_log("Some");
  for (int n = 0; n < 8; ++n) log.function(abi::kLogWarn, 0, "", 0, "again");
  write_untold_plugin_lines(ends[1]);
  ::close(ends[1]);
  char text[1024] = {};
  EXPECT_GT(::read(ends[0], text, sizeof text - 1), 0);
  ::close(ends[0]);
  EXPECT_STREQ(text,
               "hawser: plugin Some: 7 more lines were counted, and not told before the end\n");
}

// The last words of a plugin that ends the process are wanted even where nobody wants its warnings.
TEST_F(NetPluginLog, WarningsAreKeptWhereTheyAreNotSaid) {
  set_log_level(LogLevel::error);
  const PluginLog log = plugin_log("Some");
  log.function(abi::kLogWarn, 0, "", 0, "kept %d", 1);
  EXPECT_THAT(lines_, testing::IsEmpty());
  EXPECT_THAT(log.limiter->last_texts(1), ElementsAre("kept 1"));
}

TEST(NetPluginLogDeathTest, WhatWasCountedIsToldAtExit) {
  const auto warn_and_exit = [] {
    CallJournal journal;
    journal.explain_exits();
    for (int n = 1; n <= 5; ++n)
      plugin_log("Some").function(abi::kLogWarn, 0, "", 0, "again %d", n);
    std::exit(0);
  };
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(warn_and_exit(), testing::ExitedWithCode(0),
              "plugin Some: again 1\n.*plugin Some: again 5 \\(said 4 more times in the last 0");
}

// In a process of its own: names are never given back.
TEST(NetPluginLogDeathTest, NamesAreBounded) {
  const auto use_them_up = [] {
    for (std::size_t i = 0; i < kMaxPluginNames; ++i) (void)plugin_log(std::to_string(i).c_str());
    const PluginLog one_more = plugin_log("one more");
    const PluginLog another = plugin_log("another");
    const bool shared = one_more.function == another.function && one_more.function != nullptr &&
                        one_more.function != plugin_log("3").function;
    std::exit(shared && std::string(another.name) == "(one of many)" ? 0 : 1);
  };
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(use_them_up(), testing::ExitedWithCode(0), "");
}

TEST(NetPluginError, EveryCodeHasAText) {
  EXPECT_EQ(plugin_result_text(0), "success");
  EXPECT_EQ(plugin_result_text(1), "unhandled CUDA error");
  EXPECT_EQ(plugin_result_text(2), "system error");
  EXPECT_EQ(plugin_result_text(3), "internal error");
  EXPECT_EQ(plugin_result_text(4), "invalid argument");
  EXPECT_EQ(plugin_result_text(5), "invalid usage");
  EXPECT_EQ(plugin_result_text(6), "remote error");
  EXPECT_EQ(plugin_result_text(7), "unknown result");
  EXPECT_EQ(plugin_result_text(-1), "unknown result");
}

TEST(NetPluginError, ARemoteErrorIsThePeers) {
  CallNote note;
  note.entry = "test";
  EXPECT_EQ(plugin_error("X", note, 6).code(), Code::peer);
  EXPECT_EQ(plugin_error("X", note, 3).code(), Code::plugin);
  EXPECT_EQ(plugin_error("X", note, 2).code(), Code::peer) << "of a socket that was connected";
  EXPECT_EQ(plugin_error("X", note, 6).message(), "X: test() failed: 6 (remote error)");
}

TEST(NetPluginError, ARefusedArgumentIsTheCallersButForInit) {
  CallNote note;
  note.entry = "regMr";
  EXPECT_EQ(plugin_error("X", note, 4).code(), Code::invalid_argument);
  EXPECT_EQ(plugin_error("X", note, 5).code(), Code::invalid_argument);
  note.entry = "init";
  EXPECT_EQ(plugin_error("X", note, 4).code(), Code::plugin);
}

}  // namespace
}  // namespace hawser
