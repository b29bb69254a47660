// What this build has made beside the test program.
#pragma once

#include <unistd.h>

#include <climits>
#include <string>
#include <string_view>

namespace hawser::test {

// Of a file or folder in the build's folder, by the name that it has there: "tests/emu/x.so". Found
// from the program that runs: a sanitizer's build has programs of objects that another has
// compiled.
inline std::string built(std::string_view name) {
  char program[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", program, sizeof program);
  const std::string_view path(program, length > 0 ? static_cast<std::size_t>(length) : 0);
  const std::size_t tests = path.rfind("/tests/");
  return std::string(path.substr(0, tests == path.npos ? 0 : tests + 1)).append(name);
}

}  // namespace hawser::test
