// The line between hawser and C: results become numbers and a text, and nothing is thrown.
#pragma once

#include <string_view>
#include <utility>

#include <hawser/hawser.h>
#include <hawser/result.h>

namespace hawser::capi {

hawser_status_t number_of(Code code);

// Remembers, for this thread, what failed, and gives its number. Allocates nothing.
hawser_status_t failed(Code code, std::string_view message) noexcept;
hawser_status_t failed(const Error& error) noexcept;
hawser_status_t out_of_memory() noexcept;
// Of the exception that is being handled.
hawser_status_t failed_by_exception() noexcept;

inline hawser_status_t told(const Status& status) noexcept {
  return status.ok() ? hawser_status_t{HAWSER_OK} : failed(status.error());
}

// What a caller forgot is its bug, and cheap to say.
inline Status require(bool given, const char* what) {
  if (given) return {};
  return Error(Code::invalid_argument, what);
}

// Runs `work` (-> Status), and tells the caller.
template <class Work>
hawser_status_t guarded(Work&& work) noexcept {
  try {
    return told(std::forward<Work>(work)());
  } catch (...) {
    return failed_by_exception();
  }
}

// Runs `work`, for calls that have no status: what they answer where it throws is `otherwise`.
template <class Work, class Value>
Value guarded_value(Value otherwise, Work&& work) noexcept {
  try {
    return std::forward<Work>(work)();
  } catch (...) {
    failed_by_exception();
    return otherwise;
  }
}

}  // namespace hawser::capi
