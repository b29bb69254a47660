#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <future>
#include <memory>

#include "base/event_fd.h"
#include "base/fd.h"
#include "base/fork.h"
#include "base/log.h"
#include "base/thread.h"
#include "support/file_limit.h"
#include "support/sanitizers.h"

namespace hawser::test {
namespace {

UniqueFd open_null() {
  return UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC));
}

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

// What `work` gives in a child; its failures are exit statuses.
int in_a_child_that(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(30);
    ::_exit(work());
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Fork, ClosesOurDescriptorsInAChildAndNoOthers) {
  UniqueFd ours = open_null();
  const int number = ours.get();
  UniqueFd moved_from = open_null();
  UniqueFd moved_to = std::move(moved_from);
  const int moved = moved_to.get();
  UniqueFd released = open_null();
  const int foreign = released.release();
  EXPECT_EQ(in_a_child_that([&] {
              if (is_open(number) || ours.valid() || ours.get() != -1) return 1;
              if (is_open(moved) || moved_to.valid()) return 2;
              if (!is_open(foreign)) return 3;
              // The number is somebody else's now: the copy does not close it.
              if (::dup2(foreign, number) != number) return 4;
              ours.reset();
              if (!is_open(number)) return 5;
              ours = UniqueFd(::dup(foreign));
              const int own = ours.get();
              if (!is_open(own)) return 6;
              ours.reset();
              return is_open(own) ? 7 : 0;
            }),
            0);
  EXPECT_TRUE(is_open(number));
  EXPECT_TRUE(is_open(moved));
  ::close(foreign);
}

TEST(Fork, OfAForkIsAsInAChild) {
  const UniqueFd ours = open_null();
  EXPECT_EQ(in_a_child_that([&] {
              UniqueFd own = open_null();
              const int number = own.get();
              const int in_grandchild = in_a_child_that([&] { return is_open(number) ? 1 : 0; });
              return in_grandchild == 0 && is_open(number) ? 0 : 1;
            }),
            0);
}

TEST(Fork, LeavesNoThreadToBeJoined) {
  if (kThreadSanitizer) GTEST_SKIP() << "the thread sanitizer joins its own list";
  std::promise<void> go;
  auto thread = Thread::start("hw-test", [&] { go.get_future().wait(); });
  ASSERT_TRUE(thread.ok());
  EXPECT_EQ(in_a_child_that([&] {
              if (thread->running()) return 1;
              if (!thread->join_within(Deadline::after(Milliseconds(0)))) return 2;
              thread->join();
              return 0;
            }),
            0);
  EXPECT_TRUE(thread->running());
  go.set_value();
}

TEST(Fork, LeavesObjectsOfOneProcessAsTheyAre) {
  struct Noisy {
    explicit Noisy(int* count) : count(count) {}
    ~Noisy() { ++*count; }
    int* count;
  };
  int ended = 0;
  auto made = make_shared_of_one_process<Noisy>(&ended);
  auto shared = share_in_one_process(new Noisy(&ended));
  EXPECT_EQ(in_a_child_that([&] {
              made.reset();
              shared.reset();
              auto own = make_shared_of_one_process<Noisy>(&ended);
              own.reset();
              return ended;
            }),
            1);
  made.reset();
  shared.reset();
  EXPECT_EQ(ended, 2);
}

// The lock may be held, at that moment, by a thread that the child does not have.
TEST(Fork, AChildMayLogWhateverTheParentsThreadsDo) {
  if (kThreadSanitizer) GTEST_SKIP() << "the thread sanitizer lets no child of threads go on";
  std::promise<void> logging, go;
  set_log_sink([&](LogLevel, std::string_view line) {
    if (line != "hold") return;
    logging.set_value();
    go.get_future().wait();
  });
  auto thread = Thread::start("hw-test", [] { log_error("hold"); });
  ASSERT_TRUE(thread.ok());
  logging.get_future().wait();
  EXPECT_EQ(in_a_child_that([] {
              log_error("in the child");
              return 0;
            }),
            0);
  go.set_value();
  thread->join();
  set_log_sink({});
}

// ---- descriptors 0 to 2 ----

TEST(UniqueFd, TakesNoPlaceOfAStandardStream) {
  EXPECT_EQ(in_a_child_that([] {
              for (int fd = 0; fd < 3; ++fd) ::close(fd);
              const UniqueFd one = open_null();
              const auto bell = EventFd::make();
              if (!one.valid() || one.get() < 3 || !bell.ok() || bell->fd() < 3) return 1;
              if ((::fcntl(one.get(), F_GETFD) & FD_CLOEXEC) == 0) return 2;
              return is_open(0) || is_open(1) || is_open(2) ? 3 : 0;
            }),
            0);
}

TEST(UniqueFd, IsNoneWhereOnlySuchAPlaceIsFree) {
  EXPECT_EQ(in_a_child_that([] {
              const NoMoreFiles none;
              ::close(2);
              const UniqueFd one = open_null();
              return !one.valid() && errno == EMFILE && !is_open(2) ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace hawser::test
