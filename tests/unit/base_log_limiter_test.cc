// What somebody else's code says, bounded: nothing is said often, and nothing is lost from the
// count.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "base/log_limiter.h"

namespace hawser {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class MovedClock : public Clock {
 public:
  TimePoint now() const override { return now_; }
  void pass(Milliseconds time) { now_ += time; }

 private:
  TimePoint now_ = TimePoint() + std::chrono::hours(1);
};

class BaseLogLimiter : public testing::Test {
 protected:
  void warn(const std::string& text) { limiter_.take(LogLevel::warning, text); }

  // How many texts the lines stand for.
  std::uint64_t told() const {
    static const std::regex kCount(R"(\(said (\d+) |^(\d+) other lines left out)");
    std::uint64_t sum = 0;
    for (const std::string& line : lines_) {
      std::smatch match;
      const bool counts = std::regex_search(line, match, kCount);
      sum += counts ? std::stoull(match[1].matched ? match[1] : match[2]) : 1;
    }
    return sum;
  }

  MovedClock clock_;
  std::vector<std::string> lines_;
  LogLimiter limiter_{[this](LogLevel, std::string_view line) { lines_.emplace_back(line); },
                      clock_};
};

bool same_shape(std::string_view a, std::string_view b) {
  return shape_of(LogLevel::warning, a) == shape_of(LogLevel::warning, b);
}

TEST(BaseLogShape, IsOfTheWordsAlone) {
  EXPECT_TRUE(same_shape("socket 7 of 12 at 0x7ffe12ab", "socket 1048 of 3 at 0xbeef"));
  EXPECT_TRUE(same_shape("comm 7f3a00, id c0ffee1", "comm 12, id 0"));
  EXPECT_TRUE(same_shape("eth1: lost", "eth23: lost"));
  EXPECT_TRUE(same_shape("0xbeef", "0xcafe"));
  EXPECT_FALSE(same_shape("a bad face", "a dead bee"));
  EXPECT_FALSE(same_shape("socket 7", "sockets 7"));
  EXPECT_FALSE(same_shape("1 2", "1"));
  EXPECT_FALSE(same_shape("", "0"));
  EXPECT_NE(shape_of(LogLevel::warning, "x"), shape_of(LogLevel::error, "x"));
}

TEST_F(BaseLogLimiter, SaysATextAtOnceAndThenCounts) {
  warn("no room on socket 1");
  EXPECT_THAT(lines_, ElementsAre("no room on socket 1"));
  for (int n = 2; n < 1235; ++n) warn("no room on socket " + std::to_string(n));
  EXPECT_THAT(lines_, SizeIs(1));
  EXPECT_EQ(limiter_.untold(), 1233u);
  clock_.pass(Milliseconds(1040));
  warn("no room on socket 0");
  EXPECT_THAT(lines_, ElementsAre("no room on socket 1",
                                  "no room on socket 0 (said 1234 more times in the last 1.0 s)"));
  EXPECT_EQ(limiter_.untold(), 0u);
}

TEST_F(BaseLogLimiter, SaysATextThatIsRareEachTime) {
  for (int n = 0; n < 3; ++n) {
    warn("now and then");
    clock_.pass(LogLimiter::kInterval);
  }
  EXPECT_THAT(lines_, ElementsAre("now and then", "now and then", "now and then"));
}

TEST_F(BaseLogLimiter, TellsACountWithAnyTextThatComesLater) {
  warn("often");
  warn("often");
  warn("often");
  clock_.pass(Milliseconds(2500));
  warn("another");
  EXPECT_THAT(lines_,
              ElementsAre("often", "often (said 2 more times in the last 2.5 s)", "another"));
}

TEST_F(BaseLogLimiter, SaysAsManyAlikeAsItIsToldTo) {
  LogLimiter three([this](LogLevel, std::string_view line) { lines_.emplace_back(line); }, clock_,
                   LogLimiter::kMaxLines, LogLimiter::kInterval, 3);
  const auto say = [&](int n) { three.take(LogLevel::warning, "channel " + std::to_string(n)); };
  for (int n = 0; n < 8; ++n) say(n);
  EXPECT_THAT(lines_, ElementsAre("channel 0", "channel 1", "channel 2"));
  clock_.pass(LogLimiter::kInterval);
  for (int n = 8; n < 12; ++n) say(n);
  EXPECT_THAT(lines_, ElementsAre("channel 0", "channel 1", "channel 2",
                                  "channel 8 (said 6 more times in the last 1.0 s)", "channel 9",
                                  "channel 10"));
}

TEST_F(BaseLogLimiter, KeepsLevelsApart) {
  limiter_.take(LogLevel::warning, "x");
  limiter_.take(LogLevel::error, "x");
  EXPECT_THAT(lines_, ElementsAre("x", "x"));
}

// As a real plugin did it: one for each poll.
TEST_F(BaseLogLimiter, MakesAHandfulOfLinesOf150000) {
  for (int n = 0; n < 150'000; ++n) {
    warn("No free space for recv task 0x" + std::to_string(n) + ", socket " +
         std::to_string(n % 8));
    if (n % 30 == 0) clock_.pass(Milliseconds(1));
  }
  limiter_.flush();
  EXPECT_THAT(lines_, SizeIs(testing::AllOf(testing::Ge(5u), testing::Le(7u))));
  EXPECT_EQ(told(), 150'000u);
  EXPECT_EQ(limiter_.untold(), 0u);
}

// Ever new words: no shape comes twice, and the lines are bounded all the same.
TEST_F(BaseLogLimiter, BoundsTextsThatAreNeverTheSame) {
  constexpr std::uint64_t kTexts = 20'000;
  for (std::uint64_t n = 0; n < kTexts; ++n) {
    std::string word;
    for (std::uint64_t rest = n + 1; rest > 0; rest /= 10)
      word += static_cast<char>('p' + rest % 10);
    warn(word);
    if (n % 5 == 0) clock_.pass(Milliseconds(1));  // four seconds in all
  }
  limiter_.flush();
  EXPECT_LE(lines_.size(), 6 * (LogLimiter::kMaxLines + 1));
  EXPECT_EQ(told(), kTexts);
}

TEST_F(BaseLogLimiter, FlushesWhatWasCountedAndBeginsAnew) {
  warn("a 1");
  warn("a 2");
  clock_.pass(Milliseconds(100));
  limiter_.flush();
  EXPECT_THAT(lines_, ElementsAre("a 1", "a 2"));
  limiter_.flush();
  EXPECT_THAT(lines_, SizeIs(2));
  warn("a 3");
  EXPECT_THAT(lines_, ElementsAre("a 1", "a 2", "a 3"));
}

TEST_F(BaseLogLimiter, KnowsTheLastTextsOfEachShape) {
  EXPECT_THAT(limiter_.last_texts(3), IsEmpty());
  for (const char* text : {"first", "b 1", "c 1", "d 1", "c 2", "b 2"}) warn(text);
  for (int n = 0; n < 1000; ++n) warn("c " + std::to_string(n));
  limiter_.flush();
  EXPECT_THAT(limiter_.last_texts(3), ElementsAre("d 1", "b 2", "c 999"));
  EXPECT_THAT(limiter_.last_texts(100), SizeIs(4));
}

TEST(BaseLogLimiterThreads, LoseNothing) {
  std::mutex mutex;
  std::uint64_t plain = 0, counted = 0;
  static const std::regex kSaid(R"(\(said (\d+) )");
  LogLimiter limiter([&](LogLevel, std::string_view line) {
    const std::lock_guard lock(mutex);
    const std::string text(line);
    std::smatch match;
    std::regex_search(text, match, kSaid) ? counted += std::stoull(match[1]) : plain += 1;
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 5000; ++n) limiter.take(LogLevel::warning, "n " + std::to_string(n));
    });
  for (std::thread& thread : threads) thread.join();
  limiter.flush();
  EXPECT_EQ(plain + counted, 20'000u);
}

}  // namespace
}  // namespace hawser
