// Texts of a peer or of a stranger, made fit for a terminal and a log.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hawser {

// The length of the printable UTF-8 character that starts at `i`; 0 where none does.
std::size_t printable_bytes(std::string_view text, std::size_t i);
bool is_printable(std::string_view text);
// The text with '?' for each control character and each byte that is no UTF-8.
std::string printable(std::string_view text);

// How much of printable(text) fits into `most` bytes without a part of a character at its end, and
// those bytes. Neither allocates.
std::size_t printable_length(std::string_view text, std::size_t most);
std::size_t copy_printable(std::string_view text, std::size_t most, std::byte* to);

}  // namespace hawser
