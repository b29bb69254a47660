#include "support/file_limit.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/fd.h"

namespace hawser::test {

// A new descriptor gets the lowest number that is free, and must be below the limit: the limit is
// the number that the first one too many would get.
NoMoreFiles::NoMoreFiles(unsigned but) {
  EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
  rlimit now = before_;
  std::vector<UniqueFd> free;
  for (unsigned i = 0; i <= but; ++i) free.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  now.rlim_cur = static_cast<rlim_t>(free.back().get());
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &now), 0);
}

NoMoreFiles::~NoMoreFiles() {
  setrlimit(RLIMIT_NOFILE, &before_);
}

std::size_t raise_file_limit(std::size_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur;
}

}  // namespace hawser::test
