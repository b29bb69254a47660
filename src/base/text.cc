#include "base/text.h"

#include <algorithm>
#include <cstring>

namespace hawser {
namespace {

unsigned char byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

bool continues(std::string_view text, std::size_t from, std::size_t count) {
  if (from + count > text.size()) return false;
  for (std::size_t i = from; i < from + count; ++i)
    if ((byte_at(text, i) & 0xC0) != 0x80) return false;
  return true;
}

// Calls `each` with each character of printable(text), up to the first that ends behind `most`.
template <class Each>
std::size_t each_printable(std::string_view text, std::size_t most, Each&& each) {
  std::size_t done = 0;
  while (done < text.size()) {
    const std::size_t good = printable_bytes(text, done);
    const std::size_t bytes = std::max<std::size_t>(good, 1);
    if (bytes > most - done) break;
    each(good > 0 ? text.substr(done, bytes) : std::string_view("?"));
    done += bytes;
  }
  return done;
}

}  // namespace

std::size_t printable_bytes(std::string_view text, std::size_t i) {
  const unsigned char first = byte_at(text, i);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t bytes = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (!continues(text, i + 1, bytes - 1)) return 0;
  const unsigned char second = byte_at(text, i + 1);
  if (first == 0xC2 && second < 0xA0) return 0;  // the C1 control characters
  if (first == 0xE0 && second < 0xA0) return 0;  // longer than it need be
  if (first == 0xED && second > 0x9F) return 0;  // surrogates
  if (first == 0xF0 && second < 0x90) return 0;  // longer than it need be
  if (first == 0xF4 && second > 0x8F) return 0;  // beyond Unicode
  return bytes;
}

bool is_printable(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t bytes = printable_bytes(text, i);
    if (bytes == 0) return false;
    i += bytes;
  }
  return true;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  each_printable(text, text.size(), [&](std::string_view character) { out += character; });
  return out;
}

std::size_t printable_length(std::string_view text, std::size_t most) {
  return each_printable(text, most, [](std::string_view) {});
}

std::size_t copy_printable(std::string_view text, std::size_t most, std::byte* to) {
  return each_printable(text, most, [&](std::string_view character) {
    std::memcpy(to, character.data(), character.size());
    to += character.size();
  });
}

}  // namespace hawser
