#include "base/codec.h"

#include <fmt/core.h>

namespace hawser::codec {

void Decoder::text(const char* field, std::string& value, std::size_t most, std::size_t least) {
  const std::string_view raw = raw_text(field, most, least);
  if (wild_ == WildText::replace)
    value = printable(raw);
  else if (is_printable(raw))
    value = raw;
  else
    fail(fmt::format("whose {} is no printable UTF-8", field));
}

void Decoder::text(const char* field, std::string_view& value, std::size_t most,
                   std::size_t least) {
  const std::string_view raw = raw_text(field, most, least);
  if (!is_printable(raw)) return fail(fmt::format("whose {} is no printable UTF-8", field));
  value = raw;
}

std::string_view Decoder::raw_text(const char* field, std::size_t most, std::size_t least) {
  Count bytes = 0;
  number(field, bytes);
  if (bytes < least) fail(fmt::format("without a {}", field));
  if (bytes > most) fail_length(field, bytes, most);
  const std::byte* const at = take(field, bytes);
  return at == nullptr ? std::string_view()
                       : std::string_view(reinterpret_cast<const char*>(at), bytes);
}

void Decoder::fail(std::string_view problem) {
  if (!error_) error_ = Error(Code::protocol, fmt::format("a {} {}", message_, problem));
  left_ = {};
}

void Decoder::fail_short(const char* field) {
  fail(fmt::format("of {} bytes, too short for its {}", bytes_, field));
}

void Decoder::fail_length(const char* field, std::size_t bytes, std::size_t most) {
  fail(fmt::format("with {} of {} bytes, at most {}", field, bytes, most));
}

void Decoder::fail_range(const char* field, std::uint64_t value, std::uint64_t min,
                         std::uint64_t max) {
  fail(fmt::format("with {} = {}, want {} to {}", field, value, min, max));
}

void Decoder::fail_end() {
  if ((flags_ & ~known_) != 0) fail(fmt::format("with unknown flags {:#x}", flags_ & ~known_));
  fail(fmt::format("of {} bytes where its fields take {}", bytes_, bytes_ - left_.size()));
}

}  // namespace hawser::codec
