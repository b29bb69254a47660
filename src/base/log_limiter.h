// Bounds how much somebody else's code says: a text that repeats is said once, and then counted.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"

namespace hawser {

// Equal for texts of one level that differ in numbers only: decimal ones, hexadecimal ones, and
// addresses.
std::uint64_t shape_of(LogLevel level, std::string_view text);

// Passes a text on at once; what comes after it of the same shape is counted, and told with the
// next text after an interval: "... (said 1234 more times in the last 1.0 s)". No text is kept from
// the count: lines that are too many in an interval, and shapes that are too many to remember, are
// counted together ("3456 other lines left out in the last 1.0 s"). Thread-safe.
class LogLimiter {
 public:
  static constexpr Milliseconds kInterval{1000};
  static constexpr std::size_t kMaxShapes = 64;
  static constexpr std::size_t kMaxLines = 32;  // of texts in an interval; one more has the count

  // Called without a lock held, from whichever thread comes.
  using Say = std::function<void(LogLevel, std::string_view)>;
  // `alike`: so many of a shape are said at once in an interval.
  explicit LogLimiter(Say say, const Clock& clock = Clock::system(),
                      std::size_t max_lines = kMaxLines, Milliseconds interval = kInterval,
                      std::size_t alike = 1);

  void take(LogLevel level, std::string_view text);
  // Says what was counted and not told yet, and begins anew: every text is said at once again.
  void flush();

  // How many texts were counted and not told yet. Async-signal-safe.
  std::uint64_t untold() const { return untold_.load(std::memory_order_relaxed); }
  // The last text of each of the shapes that came last, `most` of them, oldest first; also of what
  // was counted only.
  std::vector<std::string> last_texts(std::size_t most) const;

 private:
  struct Shape {
    std::uint64_t shape = 0;
    LogLevel level = LogLevel::warning;
    std::string text;         // the last one
    std::uint64_t taken = 0;  // which text it was, of all
    TimePoint told{};
    bool said = false;          // since it is remembered, or since the last flush
    std::size_t lines = 0;      // of it, in its interval
    std::uint64_t counted = 0;  // since it was told
  };
  struct Line {
    LogLevel level;
    std::string text;
  };
  using Lines = std::vector<Line>;

  Shape& remember(std::uint64_t shape, LogLevel level);
  void forget_oldest();
  void begin_interval(TimePoint now, Lines& lines);
  void tell_if_due(Shape& shape, TimePoint now, Lines& lines);
  void tell(Shape& shape, TimePoint now, Lines& lines);
  void tell_left_out(TimePoint now, Lines& lines);
  void say(const Lines& lines) const;

  const Say say_;
  const Clock& clock_;
  const std::size_t max_lines_;
  const Milliseconds interval_;
  const std::size_t alike_;
  std::atomic<std::uint64_t> untold_{0};  // a number, publishes nothing
  mutable std::mutex mutex_;              // guards what follows
  std::vector<Shape> shapes_;
  TimePoint begun_{};      // this interval
  std::size_t lines_ = 0;  // in it
  std::uint64_t taken_ = 0;
  std::uint64_t left_out_ = 0;  // texts, since that was told
};

// What strangers and peers make this process log, as often as they like: the first of each kind at
// once, and once a minute how many more.
class StrangerLog final : public LogLimiter {
 public:
  static constexpr Milliseconds kMinute{60'000};
  explicit StrangerLog(std::size_t max_lines = kMaxLines, std::size_t alike = 1)
      : LogLimiter([](LogLevel level, std::string_view text) { log_at(level, "{}", text); },
                   Clock::system(), max_lines, kMinute, alike) {}
};

}  // namespace hawser
