#include "control/stranger.h"

#include <fmt/core.h>

#include <string_view>

#include "base/text.h"

namespace hawser::control {
namespace {

constexpr std::size_t kExcerptBytes = 32;

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

std::string describe_stranger(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  // The magics of the control protocols of hawser.
  if (text.starts_with("HWSR")) return "a validation or a measurement of hawser, not an engine";
  if (text.starts_with("HWSF")) return "an engine of hawser, not a validation or a measurement";
  if (is_http_request(text)) return "an HTTP request, not hawser";
  if (text.starts_with("HTTP")) return "an HTTP server's answer, not hawser";
  if (text.starts_with("SSH-")) return fmt::format("SSH, not hawser: {}", excerpt(text));
  if (text.starts_with("\x16\x03")) return "a TLS handshake, not hawser";
  return fmt::format("not hawser: {}", excerpt(text));
}

}  // namespace hawser::control
