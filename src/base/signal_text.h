// Text for signal handlers: built and written with nothing that they may not use.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hawser {

// Into a fixed buffer; cut off where it does not fit, and ended by a zero byte at the end.
class SignalText {
 public:
  SignalText(char* to, std::size_t room) : to_(to), room_(room) {}
  ~SignalText() { to_[length_] = '\0'; }
  SignalText(const SignalText&) = delete;
  SignalText& operator=(const SignalText&) = delete;

  SignalText& text(const char* from) {
    while (*from != '\0') put(*from++);
    return *this;
  }
  SignalText& number(std::uint64_t value, unsigned base = 10);
  std::size_t length() const { return length_; }

 private:
  void put(char c) {
    if (length_ + 1 < room_) to_[length_++] = c;
  }

  char* to_;
  std::size_t room_;
  std::size_t length_ = 0;
};

// All of it, unless the descriptor takes no more.
void write_fully(int fd, const char* from, std::size_t bytes);

}  // namespace hawser
