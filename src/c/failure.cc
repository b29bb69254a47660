#include "c/failure.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>

namespace hawser::capi {
namespace {

constexpr std::size_t kMaxTextBytes = 1023;

// Not a string: keeping a text must not fail, and a thread's end has nothing to destroy.
thread_local char t_last_error[kMaxTextBytes + 1] = "";

// Where a text of more bytes is cut, so that no character is.
std::size_t cut_at(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text.size();
  const auto continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
  };
  while (bytes > 0 && continues(bytes)) --bytes;
  return bytes;
}

// Numbers of the C interface are for good, whatever order Code has.
constexpr hawser_status_t number(Code code) {
  switch (code) {
    case Code::invalid_argument:
      return HAWSER_INVALID_ARGUMENT;
    case Code::unavailable:
      return HAWSER_UNAVAILABLE;
    case Code::timeout:
      return HAWSER_TIMEOUT;
    case Code::peer:
      return HAWSER_PEER;
    case Code::protocol:
      return HAWSER_PROTOCOL;
    case Code::data:
      return HAWSER_DATA;
    case Code::plugin:
      return HAWSER_PLUGIN;
    case Code::system:
      return HAWSER_SYSTEM;
    case Code::cancelled:
      return HAWSER_CANCELLED;
    case Code::internal:
      break;
  }
  return HAWSER_INTERNAL;
}

const char* name_of(hawser_status_t status) {
  if (status == HAWSER_OK) return "ok";
  for (int code = 0; code <= static_cast<int>(Code::internal); ++code)
    if (number(static_cast<Code>(code)) == status)
      return code_name(static_cast<Code>(code)).data();  // of a literal, which ends in a 0
  return "unknown";
}

}  // namespace

hawser_status_t number_of(Code code) {
  return number(code);
}

hawser_status_t failed(Code code, std::string_view message) noexcept {
  const std::size_t length = cut_at(message, kMaxTextBytes);
  std::memmove(t_last_error, message.data(), length);  // it may be this very text
  t_last_error[length] = '\0';
  return number(code);
}

hawser_status_t failed(const Error& error) noexcept {
  return failed(error.code(), error.message());
}

hawser_status_t out_of_memory() noexcept {
  return failed(Code::system, "there is no memory");
}

hawser_status_t failed_by_exception() noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::exception& error) {
    return failed(Code::internal, error.what());
  } catch (...) {
    return failed(Code::internal, "an exception of an unknown type");
  }
}

}  // namespace hawser::capi

const char* hawser_status_name(hawser_status_t status) {
  return hawser::capi::name_of(status);
}

const char* hawser_last_error() {
  return hawser::capi::t_last_error;
}
