// Texts that C gives back with hawser_free().
#pragma once

#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "c/failure.h"

namespace hawser::capi {

inline char* copy_text(const std::string& text) {
  char* const copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy == nullptr) throw std::bad_alloc();
  std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

// Hands over what `work` (-> Result<std::string>) makes, through `made`, which is null after any
// failure.
template <class Work>
hawser_status_t make_text(char** made, Work&& work) noexcept {
  if (made == nullptr) return failed(Code::invalid_argument, "no place for the text");
  *made = nullptr;
  return guarded([&]() -> Status {
    const Result<std::string> text = work();
    if (!text.ok()) return text.error();
    *made = copy_text(*text);
    return {};
  });
}

}  // namespace hawser::capi
