#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <thread>

#include "c/failure.h"
#include "c/handles.h"
#include "c/json.h"

namespace hawser::capi {
namespace {

using namespace std::string_literals;

// The numbers are for good: bindings have them in their code.
TEST(CApiFailure, NumbersAreThoseOfTheFirstRelease) {
  EXPECT_EQ(number_of(Code::invalid_argument), 1);
  EXPECT_EQ(number_of(Code::unavailable), 2);
  EXPECT_EQ(number_of(Code::timeout), 3);
  EXPECT_EQ(number_of(Code::peer), 4);
  EXPECT_EQ(number_of(Code::protocol), 5);
  EXPECT_EQ(number_of(Code::data), 6);
  EXPECT_EQ(number_of(Code::plugin), 7);
  EXPECT_EQ(number_of(Code::system), 8);
  EXPECT_EQ(number_of(Code::cancelled), 9);
  EXPECT_EQ(number_of(Code::internal), 10);
}

TEST(CApiFailure, EachNumberHasItsCodesName) {
  EXPECT_EQ(hawser_status_name(HAWSER_OK), "ok"s);
  for (int code = 0; code <= static_cast<int>(Code::internal); ++code)
    EXPECT_EQ(hawser_status_name(number_of(static_cast<Code>(code))),
              code_name(static_cast<Code>(code)));
}

TEST(CApiFailure, TextIsOfThisThread) {
  EXPECT_EQ(failed(Error(Code::peer, "gone")), HAWSER_PEER);
  std::thread([] {
    EXPECT_EQ(hawser_last_error(), ""s);
    failed(Code::data, "other");
    EXPECT_EQ(hawser_last_error(), "other"s);
  }).join();
  EXPECT_EQ(hawser_last_error(), "gone"s);
}

TEST(CApiFailure, LongTextIsCutBetweenTwoCharacters) {
  failed(Code::data, std::string(2000, 'x'));
  EXPECT_EQ(hawser_last_error(), std::string(1023, 'x'));
  failed(Code::data, "x" + std::string(1021, 'x') + "\u00e9 and more");
  EXPECT_EQ(hawser_last_error(), std::string(1022, 'x'));
  failed(Code::data, hawser_last_error());
  EXPECT_EQ(hawser_last_error(), std::string(1022, 'x'));
}

TEST(CApiFailure, NothingIsThrownAcross) {
  EXPECT_EQ(guarded([]() -> Status { throw std::bad_alloc(); }), HAWSER_SYSTEM);
  EXPECT_EQ(hawser_last_error(), "there is no memory"s);
  EXPECT_EQ(guarded([]() -> Status { throw std::runtime_error("odd"); }), HAWSER_INTERNAL);
  EXPECT_EQ(hawser_last_error(), "odd"s);
  EXPECT_EQ(guarded([]() -> Status { throw 7; }), HAWSER_INTERNAL);
  EXPECT_EQ(guarded_value(-1, []() -> int { throw 7; }), -1);
}

TEST(CApiHandles, NoneIsMadeOfAFailure) {
  auto* handle = static_cast<hawser_transfer_t*>(nullptr);
  const auto fail = [](hawser_transfer_t&) -> Status { return Error(Code::peer, "gone"); };
  const auto raise = [](hawser_transfer_t&) -> Status { throw std::bad_alloc(); };
  EXPECT_EQ(make_handle(&handle, fail), HAWSER_PEER);
  EXPECT_EQ(handle, nullptr);
  EXPECT_EQ(make_handle(&handle, raise), HAWSER_SYSTEM);
  EXPECT_EQ(handle, nullptr);
  EXPECT_EQ(make_handle<hawser_transfer_t>(nullptr, raise), HAWSER_INVALID_ARGUMENT);
}

TEST(CApiJson, ReportHasAllMembers) {
  LinkReport report;
  report.peer = "192.0.2.7:20000";
  report.reason = "not \"up\"";
  ChannelReport channel;
  channel.index = 3;
  channel.device = "eth1";
  channel.peer_device = "eth2";
  channel.state = ChannelState::down;
  channel.bytes_sent = 1;
  channel.bytes_received = 2;
  channel.bytes_sent_again = 3;
  channel.failures = 4;
  channel.last_failure = "reset";
  channel.rate_bytes_per_s = 0.5;
  report.waiting_for_room = 7;
  report.channels.push_back(channel);
  EXPECT_EQ(report_json(report),
            R"({"channels":[{"bytes_received":2,"bytes_sent":1,"bytes_sent_again":3,)"
            R"("device":"eth1","failures":4,"index":3,"last_failure":"reset",)"
            R"("peer_device":"eth2","rate_bytes_per_s":0.5,"state":"down"}],)"
            R"("peer":"192.0.2.7:20000","reason":"not \"up\"","up":false,"waiting_for_room":7})");
}

// A name may be the peer's, and hold anything.
TEST(CApiJson, WhatIsNoTextIsReplaced) {
  EXPECT_EQ(names_json({"eth1", "\xff"}), "[\"eth1\",\"\xef\xbf\xbd\"]");
  EXPECT_EQ(names_json({}), "[]");
}

}  // namespace
}  // namespace hawser::capi
