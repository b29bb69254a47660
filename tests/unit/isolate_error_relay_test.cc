// What a plugin's process prints, passed on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "net/isolated/error_relay.h"

namespace hawser::isolate {
namespace {

using testing::ElementsAre;

class IsolateErrorRelay : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2] = {-1, -1};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    user_.reset(ends[0]);
    passed_.reset(ends[1]);
    auto made = ErrorRelay::create(user_.get());
    ASSERT_TRUE(made.ok()) << made.error().message();
    relay_ = std::move(*made);
  }

  void print(const std::string& text) {
    ASSERT_EQ(::write(relay_->writer(), text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
    relay_->pass_on();
  }
  std::string passed() {
    char text[1 << 16];
    const ssize_t count = ::read(passed_.get(), text, sizeof text);
    return std::string(text, count > 0 ? static_cast<std::size_t>(count) : 0);
  }

  UniqueFd user_, passed_;
  std::unique_ptr<ErrorRelay> relay_;
};

TEST_F(IsolateErrorRelay, PassesWholeLines) {
  EXPECT_GT(relay_->writer(), 3);
  print("one\ntw");
  EXPECT_EQ(passed(), "one\n");
  print("o\n\nthr");
  EXPECT_EQ(passed(), "two\n\n");
  relay_->finish();
  EXPECT_EQ(passed(), "thr\n");
}

// It goes to a terminal, whatever it holds.
TEST_F(IsolateErrorRelay, PassesNoControlCharacters) {
  print("a\x1b[2Jb\x07\xff\nhawser: \x1b]0;title\x07\n");
  EXPECT_EQ(passed(), "a?[2Jb??\nhawser: ?]0;title?\n");
}

TEST_F(IsolateErrorRelay, CutsLinesThatDoNotEnd) {
  const std::string first(ErrorRelay::kMaxLineBytes, 'x'), second(ErrorRelay::kMaxLineBytes, 'y');
  print(first + second + "z");
  EXPECT_EQ(passed(), first + "\n" + second + "\n");
}

TEST_F(IsolateErrorRelay, CountsWhatThePluginPrintsAgainAndAgain) {
  for (int n = 0; n < 1000; ++n) print("poll " + std::to_string(n) + "\n");
  relay_->finish();
  const std::string text = passed();
  EXPECT_THAT(text, testing::StartsWith("poll 0\n"));
  EXPECT_THAT(text, testing::ContainsRegex("poll 999 \\(said [0-9]+ more times"));
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 20);
}

// They are bounded where they are written.
TEST_F(IsolateErrorRelay, PassesAllOfHawsersLines) {
  const std::string line = "hawser: plugin process 7: warning: plugin X: again\n";
  for (int n = 0; n < 3; ++n) print(line);
  EXPECT_EQ(passed(), line + line + line);
}

TEST_F(IsolateErrorRelay, RemembersThePluginsWords) {
  print("hawser: plugin process 7: warning: plugin X: first\n");
  print("hawser: plugin process 7: warning: plugin X: no space: task 1\n");
  print("hawser: plugin process 7: warning: X: a comm of device 0 is closed\n");
  print("mine\n");
  for (int n = 0; n < 10; ++n) print("rx no cmsg " + std::to_string(n) + "\n");
  print("hawser: plugin process 7: warning: plugin X: no space: task 9 (said 8 more times in)\n");
  print("hawser: plugin X called exit(1)\n");
  EXPECT_THAT(relay_->last_words(), ElementsAre("no space: task 9", "mine", "rx no cmsg 9"));
}

TEST_F(IsolateErrorRelay, EndsWithTheProcess) {
  relay_->close_writer();
  EXPECT_GE(relay_->fd(), 0);
  relay_->pass_on();
  EXPECT_EQ(relay_->fd(), -1);
  relay_->pass_on();
  relay_->finish();
  EXPECT_EQ(passed(), "");
}

// A user's stderr that nobody reads is no reason to die.
TEST_F(IsolateErrorRelay, SurvivesAnErrorOutputThatIsClosed) {
  passed_.reset();
  print("one\ntwo\n");
  relay_->finish();
}

}  // namespace
}  // namespace hawser::isolate
