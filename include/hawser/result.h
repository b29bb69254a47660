// Errors as values: what went wrong, sorted by what the caller can do about it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <hawser/export.h>

namespace hawser {

// Each code is a decision for the caller. "Would block" is no error: calls that
// can be too early return an empty value instead.
enum class Code {
  invalid_argument,  // the caller's input is wrong: mend the call
  unavailable,  // something this machine lacks (driver, plugin, device): install or choose another
  timeout,      // a deadline passed; the other side may still be alive
  peer,         // the peer died, refused, or closed: reconnect or look at its side
  protocol,     // bytes that no correct peer sends
  data,         // bytes arrived, and they are the wrong ones
  plugin,       // a hosted plugin returned an error code
  system,       // an operating system call failed; the message holds errno's text
  cancelled,    // somebody asked this work to stop
  internal,     // a bug of ours
};

HAWSER_API std::string_view code_name(Code code);

// A value type. The message says what failed, on which object, and what to do.
class Error {
 public:
  Error(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  Code code() const { return code_; }
  const std::string& message() const { return message_; }

  // The same error, with what was being done put in front: "while X: message".
  HAWSER_API Error within(std::string_view doing) const;

 private:
  Code code_;
  std::string message_;
};

template <class T>
class [[nodiscard]] Result {
 public:
  // From whatever becomes a T: a unique_ptr to a derived class for one to its base, say.
  template <class U = T>
  requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::remove_cvref_t<U>, Error>)
      Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {
  }  // NOLINT(google-explicit-constructor)
  Result(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() { return std::get<0>(state_); }
  const T& value() const { return std::get<0>(state_); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(value()); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace hawser
