#include "support/thread_limit.h"

#include <sys/resource.h>
#include <unistd.h>

#include "support/threads.h"

namespace hawser::test {
namespace {

constexpr uid_t kFirstUser = 2'000'000;  // nobody's

}  // namespace

bool allow_threads(std::size_t more) {
  const std::size_t now = threads_named("").size();
  const uid_t user = kFirstUser + static_cast<uid_t>(::getpid());
  if (::setresgid(user, user, user) != 0 || ::setresuid(user, user, user) != 0) return false;
  const rlimit limit{now + more, now + more};
  return ::setrlimit(RLIMIT_NPROC, &limit) == 0;
}

}  // namespace hawser::test
