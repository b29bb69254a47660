#include "base/log_limiter.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace hawser {
namespace {

// FNV-1a.
class Hash {
 public:
  void add(char c) { value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001b3u; }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex_digit(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0;
}

double seconds(TimePoint::duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

// A run of hexadecimal digits is a number where it has a decimal one, or 0x before it: "7f3a" and
// "0xbeef", not "bad".
std::uint64_t shape_of(LogLevel level, std::string_view text) {
  Hash hash;
  hash.add(static_cast<char>('0' + static_cast<int>(level)));
  bool after_0x = false;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && is_hex_digit(text[end])) ++end;
    const std::string_view run = text.substr(i, end - i);
    if (run.empty()) {
      after_0x = (text[i] == 'x' || text[i] == 'X') && i > 0 && text[i - 1] == '0';
      hash.add(text[i++]);
      continue;
    }
    if (after_0x || std::any_of(run.begin(), run.end(), is_digit))
      hash.add('#');
    else
      for (const char c : run) hash.add(c);
    after_0x = false;
    i = end;
  }
  return hash.value();
}

LogLimiter::LogLimiter(Say say, const Clock& clock, std::size_t max_lines, Milliseconds interval,
                       std::size_t alike)
    : say_(std::move(say)),
      clock_(clock),
      max_lines_(max_lines),
      interval_(interval),
      alike_(alike) {}

void LogLimiter::take(LogLevel level, std::string_view text) {
  const std::uint64_t wanted = shape_of(level, text);
  const TimePoint now = clock_.now();
  Lines lines;
  {
    const std::lock_guard lock(mutex_);
    Shape& shape = remember(wanted, level);
    shape.text = text;
    shape.taken = ++taken_;
    ++shape.counted;
    untold_.fetch_add(1, std::memory_order_relaxed);
    if (now - begun_ >= interval_) begin_interval(now, lines);
    tell_if_due(shape, now, lines);
  }
  say(lines);
}

LogLimiter::Shape& LogLimiter::remember(std::uint64_t wanted, LogLevel level) {
  for (Shape& known : shapes_)
    if (known.shape == wanted) return known;
  if (shapes_.size() == kMaxShapes) forget_oldest();
  shapes_.emplace_back();
  shapes_.back().shape = wanted;
  shapes_.back().level = level;
  return shapes_.back();
}

// The one that came longest ago makes room, and what was counted of it is left out.
void LogLimiter::forget_oldest() {
  const auto oldest =
      std::min_element(shapes_.begin(), shapes_.end(),
                       [](const Shape& a, const Shape& b) { return a.taken < b.taken; });
  left_out_ += oldest->counted;
  shapes_.erase(oldest);
}

void LogLimiter::begin_interval(TimePoint now, Lines& lines) {
  tell_left_out(now, lines);
  begun_ = now;
  lines_ = 0;
  for (Shape& shape : shapes_) tell_if_due(shape, now, lines);
}

void LogLimiter::tell_if_due(Shape& shape, TimePoint now, Lines& lines) {
  if (!shape.said || now - shape.told >= interval_) shape.lines = 0;
  if (shape.lines < alike_) tell(shape, now, lines);
}

// Where all lines of the interval are used up it stays counted.
void LogLimiter::tell(Shape& shape, TimePoint now, Lines& lines) {
  if (shape.counted == 0 || lines_ == max_lines_) return;
  std::string text = shape.text;
  if (shape.counted > 1)
    text += shape.said ? fmt::format(" (said {} more times in the last {:.1f} s)", shape.counted,
                                     seconds(now - shape.told))
                       : fmt::format(" (said {} times)", shape.counted);
  lines.push_back({shape.level, std::move(text)});
  ++lines_;
  ++shape.lines;
  untold_.fetch_sub(shape.counted, std::memory_order_relaxed);
  shape.told = now;
  shape.said = true;
  shape.counted = 0;
}

void LogLimiter::tell_left_out(TimePoint now, Lines& lines) {
  if (left_out_ == 0) return;
  lines.push_back({LogLevel::warning, fmt::format("{} other lines left out in the last {:.1f} s",
                                                  left_out_, seconds(now - begun_))});
  untold_.fetch_sub(left_out_, std::memory_order_relaxed);
  left_out_ = 0;
}

void LogLimiter::flush() {
  const TimePoint now = clock_.now();
  Lines lines;
  {
    const std::lock_guard lock(mutex_);
    lines_ = 0;
    for (Shape& shape : shapes_) {
      tell(shape, now, lines);
      left_out_ += std::exchange(shape.counted, 0);
      shape.said = false;
    }
    tell_left_out(now, lines);
    begun_ = now;
    lines_ = 0;
  }
  say(lines);
}

void LogLimiter::say(const Lines& lines) const {
  for (const Line& line : lines) say_(line.level, line.text);
}

std::vector<std::string> LogLimiter::last_texts(std::size_t most) const {
  std::vector<const Shape*> order;
  order.reserve(kMaxShapes);
  const std::lock_guard lock(mutex_);
  for (const Shape& shape : shapes_) order.push_back(&shape);
  std::sort(order.begin(), order.end(),
            [](const Shape* a, const Shape* b) { return a->taken < b->taken; });
  if (order.size() > most) order.erase(order.begin(), order.end() - static_cast<long>(most));
  std::vector<std::string> texts;
  texts.reserve(order.size());
  for (const Shape* shape : order) texts.push_back(shape->text);
  return texts;
}

}  // namespace hawser
