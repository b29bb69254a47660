// What two nodes say to each other: every message comes back as it was, and nothing else passes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "node/message.h"
#include "node/options.h"
#include "support/seed.h"

namespace hawser::node {
namespace {

using ::testing::HasSubstr;

Terms some_terms() {
  return {8, 16'777'216, 10, 0, true, false};
}

Hello some_hello() {
  return {0x123456789abcdef1, 7, true, "node0", some_terms()};
}

std::vector<std::byte> encoded(const Message& message) {
  std::vector<std::byte> bytes(encoded_bytes(message), std::byte{0xee});
  encode(message, bytes);
  return bytes;
}

template <class T>
T back(const T& message) {
  const auto decoded = decode(encoded(message));
  EXPECT_TRUE(decoded.ok()) << decoded.error().message();
  EXPECT_TRUE(std::holds_alternative<T>(*decoded)) << message_name(*decoded);
  return std::get<T>(*decoded);
}

TEST(NodeMessages, HelloAndPlanComeBack) {
  const Hello hello = back(some_hello());
  EXPECT_EQ(hello.process, some_hello().process);
  EXPECT_EQ(hello.gpu, 7u);
  EXPECT_TRUE(hello.cuda);
  EXPECT_EQ(hello.host, "node0");
  EXPECT_EQ(hello.terms, some_terms());
  const Plan plan = back(Plan{some_hello(), 99});
  EXPECT_EQ(plan.seed, 99u);
  EXPECT_EQ(plan.server.terms, some_terms());
  EXPECT_EQ(plan.server.host, "node0");
}

TEST(NodeMessages, ReadyCarriesTheTokensAndTheTerms) {
  Ready ready{3, 42, some_terms(), {}};
  ready.tokens[1].fill(std::byte{0x5a});
  const Ready there = back(ready);
  EXPECT_EQ(there.gpu, 3u);
  EXPECT_EQ(there.seed, 42u);
  EXPECT_EQ(there.terms, ready.terms);
  EXPECT_EQ(there.tokens, ready.tokens);
}

TEST(NodeMessages, SummaryRefuseAndStepsComeBack) {
  const Summary summary = back(Summary{1, 2, 3, 4, true, false, "why"});
  EXPECT_EQ(summary.sent_iterations, 1u);
  EXPECT_EQ(summary.received_iterations, 2u);
  EXPECT_EQ(summary.sent_bytes, 3u);
  EXPECT_EQ(summary.received_bytes, 4u);
  EXPECT_TRUE(summary.interrupted);
  EXPECT_FALSE(summary.well);
  EXPECT_EQ(summary.reason, "why");
  EXPECT_EQ(back(Refuse{"no"}).reason, "no");
  EXPECT_EQ(back(Written{5}).iteration, 5u);
  EXPECT_EQ(back(End{6}).iterations, 6u);
  EXPECT_EQ(back(Credit{7, true}).iteration, 7u);
  EXPECT_TRUE(back(Credit{7, true}).stop);
}

TEST(NodeMessages, HaveTheLengthsOfTheSpecification) {
  EXPECT_EQ(encoded(some_hello()).size(), 512u);
  EXPECT_EQ(encoded(Summary{}).size(), 512u);
  EXPECT_EQ(encoded(Written{}).size(), 32u);
  EXPECT_EQ(encoded(End{}).size(), 32u);
  EXPECT_EQ(encoded(Credit{}).size(), 32u);
}

// docs/node.md, byte by byte.
TEST(NodeMessages, CreditIsThatOfTheSpecification) {
  const auto bytes = encoded(Credit{0x0102030405060708, true});
  const unsigned char expected[] = {'H', 'W', 'S', 'N', 1, 0, 8, 0, 8, 7, 6, 5, 4, 3, 2, 1, 1};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    EXPECT_EQ(std::to_integer<int>(bytes[i]), i < sizeof expected ? expected[i] : 0) << i;
}

TEST(NodeMessages, LongTextsAreCutBetweenCharacters) {
  std::string text(kMaxReasonBytes - 1, 'x');
  text += "\xc3\xa4";  // two bytes, of which one would fit
  EXPECT_EQ(back(Refuse{text}).reason, std::string(kMaxReasonBytes - 1, 'x'));
  EXPECT_EQ(back(Refuse{std::string(kMaxReasonBytes, 'y')}).reason.size(), kMaxReasonBytes);
  Hello hello = some_hello();
  hello.host = std::string(200, 'h');
  EXPECT_EQ(back(hello).host.size(), kMaxHostBytes);
}

std::string rejection(const std::vector<std::byte>& bytes) {
  const auto decoded = decode(bytes);
  if (decoded.ok()) return "";
  EXPECT_EQ(decoded.error().code(), Code::protocol);
  return decoded.error().message();
}

TEST(NodeMessages, WhatIsNoneIsRejected) {
  EXPECT_THAT(rejection({}), HasSubstr("too short"));
  auto bytes = encoded(Written{1});
  bytes[0] = std::byte{'X'};
  EXPECT_THAT(rejection(bytes), HasSubstr("begins otherwise"));
  bytes = encoded(Written{1});
  bytes[4] = std::byte{2};
  EXPECT_THAT(rejection(bytes), HasSubstr("version 2"));
  for (const int type : {0, 9, 255}) {
    bytes = encoded(Written{1});
    bytes[6] = static_cast<std::byte>(type);
    EXPECT_THAT(rejection(bytes), HasSubstr("type")) << type;
  }
  bytes = encoded(Written{1});
  bytes.pop_back();
  EXPECT_NE(rejection(bytes), "") << "too short for its type";
  bytes.resize(kSettingBytes);
  EXPECT_NE(rejection(bytes), "") << "too long for its type";
  bytes = encoded(Credit{1, false});
  bytes[16] = std::byte{2};
  EXPECT_NE(rejection(bytes), "") << "a flag is 0 or 1";
  bytes = encoded(Written{1});
  bytes[31] = std::byte{1};
  EXPECT_NE(rejection(bytes), "") << "what no field takes is zero";
}

template <class Change>
std::string rejected_hello(Change&& change) {
  Hello hello = some_hello();
  change(hello);
  return rejection(encoded(hello));
}

TEST(NodeMessages, NumbersOutOfRangeAreRejected) {
  EXPECT_EQ(rejected_hello([](Hello&) {}), "");
  EXPECT_NE(rejected_hello([](Hello& h) { h.process = 0; }), "");
  EXPECT_NE(rejected_hello([](Hello& h) { h.gpu = 8; }), "") << "of 8 GPUs";
  EXPECT_NE(rejected_hello([](Hello& h) { h.terms.gpus = kMaxGpus + 1; }), "");
  EXPECT_NE(rejected_hello([](Hello& h) { h.terms.bytes = 0; }), "");
  EXPECT_NE(rejected_hello([](Hello& h) { h.terms.bytes = kMaxBytes + 1; }), "");
  EXPECT_NE(rejected_hello([](Hello& h) { h.terms.iterations = 0; }), "") << "and no duration";
  EXPECT_NE(rejected_hello([](Hello& h) { h.terms.duration_ms = 5; }), "") << "both of them";
  EXPECT_EQ(rejected_hello([](Hello& h) {
              h.terms.iterations = 0;
              h.terms.duration_ms = 5;
            }),
            "");
}

// Whatever comes, decode() says yes or no, and reads nothing that is not there.
TEST(NodeMessages, RandomBytesDoNoHarm) {
  std::mt19937 random(static_cast<unsigned>(test::seed_of_this_run()));
  const std::vector<Message> kinds{some_hello(),
                                   Plan{some_hello(), 1},
                                   Ready{0, 1, some_terms(), {}},
                                   Refuse{"x"},
                                   Summary{},
                                   Written{1},
                                   End{2},
                                   Credit{3, false}};
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = encoded(kinds[random() % kinds.size()]);
    for (unsigned changes = random() % 4; changes > 0; --changes)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    if (random() % 4 == 0) bytes.resize(random() % (bytes.size() + 1));
    bytes.shrink_to_fit();
    const auto decoded = decode(bytes);
    EXPECT_TRUE(!decoded.ok() || encoded(*decoded) == bytes);
  }
}

}  // namespace
}  // namespace hawser::node
