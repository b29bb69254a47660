// The three reports, and the picture.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "perf/perf.h"
#include "perf/report.h"

namespace hawser {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

Series series(std::uint64_t elapsed_ns) {
  Series out;
  out.bytes_moved = 1'000'000'000;
  out.messages_moved = 1'000'000;
  out.samples = {{elapsed_ns, 100, 200}, {elapsed_ns * 2, 100, 200}, {elapsed_ns / 2, 100, 200}};
  return out;
}

PerfOutcome outcome() {
  PerfOutcome out;
  out.transport = "a <transport> & more";
  out.client_host = "here";
  out.server_host = "there \xff";
  out.bare_sockets = 1;
  out.bare_congestion = "reno";
  out.repeats = 3;
  out.points.push_back({Traffic::stream, 4096, series(1'000'000'000), series(2'000'000'000)});
  out.points.push_back({Traffic::stream, 1 << 20, series(500'000'000), series(500'000'000)});
  PerfPoint ping{Traffic::ping_pong, 8, series(1'000'000), series(1'000'000)};
  for (std::uint64_t i = 0; i < 1000; ++i) {
    ping.transport.round_trip_ns.record(6000);
    ping.bare->round_trip_ns.record(5000);
  }
  ping.transport.round_trip_ns.record(90'000);
  out.points.push_back(ping);
  return out;
}

TEST(PerfReports, TheTableHasEveryFigureAndItsTerms) {
  const std::string table = table_of(outcome());
  EXPECT_THAT(table, HasSubstr("1.000 (0.5000-2.000)"));
  EXPECT_THAT(table, HasSubstr("1 sockets with reno"));
  EXPECT_THAT(table, HasSubstr("client to server"));
  EXPECT_THAT(table, HasSubstr("45.00")) << "the longest half round trip";
  EXPECT_THAT(table, Not(HasSubstr("ENDED EARLY")));
}

TEST(PerfReports, AnEarlyEndIsSaidInTableAndJson) {
  PerfOutcome early = outcome();
  early.error = "the peer died";
  EXPECT_THAT(table_of(early), HasSubstr("ENDED EARLY: the peer died"));
  EXPECT_EQ(json::parse(json_of(early)).at("error"), "the peer died");
  EXPECT_FALSE(json::parse(json_of(outcome())).contains("error"));
}

TEST(PerfReports, JsonHoldsTheFiguresAndWhatTheyAreMadeOf) {
  const json report = json::parse(json_of(outcome()));
  ASSERT_EQ(report.at("points").size(), 3u);
  const json& first = report.at("points")[0];
  EXPECT_EQ(first.at("traffic"), "stream");
  EXPECT_DOUBLE_EQ(first.at("transport").at("gb_per_s").at("median"), 1.0);
  EXPECT_DOUBLE_EQ(first.at("bandwidth_ratio"), 2.0);
  EXPECT_EQ(first.at("transport").at("repeats").size(), 3u);
  EXPECT_FALSE(first.at("transport").contains("half_rtt_us"));
  const json& ping = report.at("points")[2];
  EXPECT_NEAR(ping.at("transport").at("half_rtt_us").at("p50").get<double>(), 3.0, 0.03);
  EXPECT_DOUBLE_EQ(ping.at("transport").at("half_rtt_us").at("max"), 45.0);
  EXPECT_NEAR(ping.at("latency_ratio").get<double>(), 1.2, 0.02);
}

TEST(PerfReports, EveryLineOfTheCsvHasEveryColumn) {
  std::istringstream lines(csv_of(outcome()));
  std::string line;
  std::ptrdiff_t columns = -1;
  int count = 0;
  for (; std::getline(lines, line); ++count) {
    const auto commas = std::count(line.begin(), line.end(), ',');
    if (columns < 0) columns = commas;
    EXPECT_EQ(commas, columns) << line;
  }
  EXPECT_EQ(count, 1 + 2 * 3);
}

TEST(PerfPicture, IsDrawnFromTheJson) {
  const PerfPlot plot = plot_perf(json_of(outcome()));
  ASSERT_TRUE(plot.ok) << plot.text;
  EXPECT_THAT(plot.text, HasSubstr("<svg "));
  EXPECT_THAT(plot.text, HasSubstr("&lt;transport&gt; &amp; more"));
  EXPECT_THAT(plot.text, HasSubstr("bare sockets"));
  EXPECT_THAT(plot.text, Not(HasSubstr("nan")));
  EXPECT_THAT(plot.text, Not(HasSubstr("inf")));
}

TEST(PerfPicture, OneSizeIsAPictureToo) {
  PerfOutcome one = outcome();
  one.points.resize(1);
  one.points[0].bare.reset();
  const PerfPlot plot = plot_perf(json_of(one));
  ASSERT_TRUE(plot.ok) << plot.text;
  EXPECT_THAT(plot.text, Not(HasSubstr("nan")));
  EXPECT_THAT(plot.text, Not(HasSubstr("bare sockets (")));
}

TEST(PerfPicture, WhatIsNoReportIsSaidToBeNone) {
  for (const char* wrong :
       {"", "{}", "[1,2]", "not json", "{\"points\": 3}", "{\"transport\":1,\"points\":[{}]}"}) {
    const PerfPlot plot = plot_perf(wrong);
    EXPECT_FALSE(plot.ok) << wrong;
    EXPECT_NE(plot.text, "") << wrong;
  }
  PerfOutcome none = outcome();
  none.points.clear();
  EXPECT_THAT(plot_perf(json_of(none)).text, HasSubstr("nothing to draw"));
}

// Whoever can write the file must not be able to crash the tool with it.
TEST(PerfPicture, FiguresThatCannotBeAreLeftOut) {
  json report = json::parse(json_of(outcome()));
  for (auto& point : report["points"]) {
    point["message_bytes"] = -5;
    point["transport"]["gb_per_s"]["median"] = 1e300;
  }
  EXPECT_FALSE(plot_perf(report.dump()).ok);
}

}  // namespace
}  // namespace hawser
