#include "base/signal_text.h"

#include <unistd.h>

#include <cerrno>

namespace hawser {

SignalText& SignalText::number(std::uint64_t value, unsigned base) {
  char digits[24];
  std::size_t count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  while (count > 0) put(digits[--count]);
  return *this;
}

void write_fully(int fd, const char* from, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t written = ::write(fd, from, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    from += written;
    bytes -= static_cast<std::size_t>(written);
  }
}

}  // namespace hawser
