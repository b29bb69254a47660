// What every test of the engine's suite starts with: two engines, and links between them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <hawser/engine.h>

#include "base/clock.h"
#include "engine/memory_place.h"
#include "engine/variants.h"
#include "support/threads.h"

namespace hawser::test {

#define ASSERT_OK(expr)                                           \
  do {                                                            \
    const auto& ok_result_ = (expr);                              \
    ASSERT_TRUE(ok_result_.ok()) << ok_result_.error().message(); \
  } while (false)
#define EXPECT_OK(expr)                                           \
  do {                                                            \
    const auto& ok_result_ = (expr);                              \
    EXPECT_TRUE(ok_result_.ok()) << ok_result_.error().message(); \
  } while (false)
#define EXPECT_CODE(expr, expected)                                        \
  do {                                                                     \
    const auto& code_result_ = (expr);                                     \
    const Code code_expected_ = (expected);                                \
    EXPECT_TRUE(has_code(code_result_, code_expected_))                    \
        << (code_result_.ok() ? "it went well, and should have been "      \
                              : code_result_.error().message() + ": not ") \
        << code_name(code_expected_);                                      \
  } while (false)

template <class AnyResult>
bool has_code(const AnyResult& result, Code code) {
  return !result.ok() && result.error().code() == code;
}

inline constexpr int kPatienceMs = 30'000;

// What came of it; a failure where it does not end.
Status outcome(const Transfer& transfer, int patience_ms = kPatienceMs);
// A notification that comes within the patience; empty, and a failure, where none does.
std::string next_notification(const Link& link);

struct Links {
  Link near;  // the client's
  Link far;   // the server's
};

// Thread-safe as the engines are.
class EngineTest : public testing::TestWithParam<Variant> {
 protected:
  void SetUp() override;
  void TearDown() override;

  const Variant& variant() const { return GetParam(); }
  Engine& client() { return *client_; }
  Engine& server() { return *server_; }
  const Link& near() const { return links_.near; }
  const Link& far() const { return links_.far; }
  // Ends an engine; one that is kept only has its links closed.
  void destroy_client();
  void destroy_server();

  // Another pair of links.
  Links make_links(LinkOptions options = {});

  std::unique_ptr<Piece> near_piece(std::size_t bytes, Rights rights = Rights::read_write) {
    return std::make_unique<Piece>(client(), variant().near, bytes, rights);
  }
  std::unique_ptr<Piece> far_piece(std::size_t bytes, Rights rights = Rights::read_write) {
    return std::make_unique<Piece>(server(), variant().far, bytes, rights);
  }
  // Lengths around all seams: of frames, of small data, of chunks.
  std::vector<std::size_t> lengths() const;

 private:
  std::shared_ptr<Engine> client_, server_;
  Links links_;
};

// For INSTANTIATE_TEST_SUITE_P.
inline std::string variant_name(const testing::TestParamInfo<Variant>& info) {
  return info.param.name;
}
#define HAWSER_ENGINE_SUITE(suite) \
  INSTANTIATE_TEST_SUITE_P(Engine, suite, testing::ValuesIn(variants()), variant_name)

}  // namespace hawser::test
