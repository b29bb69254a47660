// The public results (hawser/result.h), and what the library makes and passes them on with.
#pragma once

#include <string_view>

#include <hawser/result.h>

namespace hawser {

// An Error of Code::system: "<doing>: <strerror(err)>".
Error system_error(int err, std::string_view doing);

#define HAWSER_CONCAT_(a, b) a##b
#define HAWSER_CONCAT(a, b) HAWSER_CONCAT_(a, b)

// Returns the error of `expr` from the enclosing function, if it has one.
#define HAWSER_TRY(expr)                                                                   \
  do {                                                                                     \
    if (auto hawser_status_ = (expr); !hawser_status_.ok()) return hawser_status_.error(); \
  } while (false)

// `target = value of expr`, or returns its error from the enclosing function.
#define HAWSER_ASSIGN(target, expr) \
  HAWSER_ASSIGN_(HAWSER_CONCAT(hawser_result_, __LINE__), target, expr)
#define HAWSER_ASSIGN_(name, target, expr) \
  auto name = (expr);                      \
  if (!name.ok()) return name.error();     \
  target = std::move(name.value())

}  // namespace hawser
