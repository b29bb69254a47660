// The part of {fmt} that is not templates, compiled once and hidden with the rest, so that a
// process that loads hawser need not have libfmt.
#define FMT_HEADER_ONLY 1
#include <fmt/format.h>

namespace hawser {
namespace {

template <class T>
void keep(T function) {
  [[maybe_unused]] volatile T kept = function;
}

}  // namespace

// Never called: it makes the compiler emit what other files, which include fmt/core.h without the
// define above, leave undefined.
[[gnu::used]] void emit_fmt() {
  keep<std::string (*)(fmt::string_view, fmt::format_args)>(&fmt::vformat);
  keep(&fmt::detail::throw_format_error);
  keep(&fmt::detail::assert_fail);
  keep(&fmt::detail::error_handler::on_error);
}

}  // namespace hawser
