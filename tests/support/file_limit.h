// How many file descriptors this process may have.
#pragma once

#include <sys/resource.h>

#include <cstddef>

namespace hawser::test {

// No further one while it lives. Not thread-safe.
class NoMoreFiles {
 public:
  explicit NoMoreFiles(unsigned but = 0);  // but so many
  ~NoMoreFiles();
  NoMoreFiles(const NoMoreFiles&) = delete;
  NoMoreFiles& operator=(const NoMoreFiles&) = delete;

 private:
  rlimit before_{};
};

// Raises the soft limit as far as the hard one lets it, from now on; what it is then.
std::size_t raise_file_limit(std::size_t wanted);

}  // namespace hawser::test
