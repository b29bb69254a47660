// Texts of strangers, made fit for a terminal and a log.
#include <fmt/core.h>

#include <algorithm>

#include "base/endian.h"
#include "bootstrap/wire.h"

namespace hawser::wire {
namespace {

constexpr std::size_t kExcerptBytes = 32;

unsigned char at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

bool continues(std::string_view text, std::size_t from, std::size_t count) {
  if (from + count > text.size()) return false;
  for (std::size_t i = from; i < from + count; ++i)
    if ((at(text, i) & 0xC0) != 0x80) return false;
  return true;
}

bool is_http_request(std::string_view text) {
  for (const char* method :
       {"GET ", "PUT ", "POST", "HEAD", "OPTI", "DELE", "CONN", "PATC", "TRAC", "PRI "})
    if (text.starts_with(method)) return true;
  return false;
}

std::string excerpt(std::string_view text) {
  std::string shown = printable(text.substr(0, kExcerptBytes));
  return fmt::format("'{}'{}", shown, text.size() > kExcerptBytes ? " ..." : "");
}

}  // namespace

std::size_t printable_bytes(std::string_view text, std::size_t i) {
  const unsigned char first = at(text, i);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t bytes = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (!continues(text, i + 1, bytes - 1)) return 0;
  const unsigned char second = at(text, i + 1);
  if (first == 0xC2 && second < 0xA0) return 0;  // the C1 control characters
  if (first == 0xE0 && second < 0xA0) return 0;  // longer than it need be
  if (first == 0xED && second > 0x9F) return 0;  // surrogates
  if (first == 0xF0 && second < 0x90) return 0;  // longer than it need be
  if (first == 0xF4 && second > 0x8F) return 0;  // beyond Unicode
  return bytes;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t bytes = printable_bytes(text, i);
    if (bytes == 0) {
      out += '?';
    } else {
      out += text.substr(i, bytes);
    }
    i += std::max<std::size_t>(bytes, 1);
  }
  return out;
}

bool has_magic(std::span<const std::byte> bytes) {
  return bytes.size() >= sizeof kMagic && load_le<std::uint32_t>(bytes.data()) == kMagic;
}

std::string describe_stranger(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (is_http_request(text)) return "an HTTP request, not hawser";
  if (text.starts_with("HTTP")) return "an HTTP server's answer, not hawser";
  if (text.starts_with("SSH-")) return fmt::format("SSH, not hawser: {}", excerpt(text));
  if (text.starts_with("\x16\x03")) return "a TLS handshake, not hawser";
  return fmt::format("not hawser: {}", excerpt(text));
}

}  // namespace hawser::wire
