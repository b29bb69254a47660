// Whole runs of two nodes in one process, over loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include <hawser/engine.h>

#include "node/node.h"
#include "support/ports.h"

namespace hawser::node {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

struct Notes {
  std::vector<std::string> lines;
  std::string all() const {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
  }
};

// Two sides, of which a test changes what it is about.
class NodeRuns : public testing::Test {
 protected:
  NodeRuns() {
    for (NodeOptions* side : {&server_, &client_}) {
      side->address = "127.0.0.1";
      side->port_base = ports_.base();
      side->gpus = 2;
      side->memory = MemoryChoice::host;
      side->devices = {"lo"};
      side->plugin = "builtin";
      side->timeout_ms = 20'000;
      side->bytes = 300'001;
      side->iterations = 5;
    }
    client_.role = Role::client;
  }

  SideResult run_side(const NodeOptions& options, Notes& notes) {
    SideOutput output;
    output.note = [&](std::string_view line) { notes.lines.emplace_back(line); };
    return run_node(options, output);
  }
  void run_both() {
    std::thread serving([this] { served_ = run_side(server_, server_notes_); });
    called_ = run_side(client_, client_notes_);
    serving.join();
  }

  test::PortRange ports_;
  NodeOptions server_, client_;
  SideResult served_, called_;
  Notes server_notes_, client_notes_;
  std::atomic<bool> interrupted_{false};
};

TEST_F(NodeRuns, MoveAndCompareAndAgree) {
  run_both();
  EXPECT_EQ(served_.status, RunStatus::passed) << served_.text << server_notes_.all();
  EXPECT_EQ(called_.status, RunStatus::passed) << called_.text << client_notes_.all();
  EXPECT_FALSE(served_.threads_abandoned);
  const json server = json::parse(served_.json), client = json::parse(called_.json);
  EXPECT_EQ(client.at("total").at("sent").at("bytes"), 2 * 5 * 300'001);
  EXPECT_EQ(server.at("total").at("received").at("bytes"), 2 * 5 * 300'001);
}

TEST_F(NodeRuns, BothWaysOneIterationOfOneByte) {
  server_.direction = NodeDirection::both;
  server_.bytes = 1;
  server_.iterations = 1;
  run_both();
  EXPECT_EQ(served_.status, RunStatus::passed) << served_.text << server_notes_.all();
  EXPECT_EQ(called_.status, RunStatus::passed) << called_.text << client_notes_.all();
  EXPECT_EQ(json::parse(called_.json).at("accounts").at("program").at("bytes_received"), 2);
}

TEST_F(NodeRuns, AnInterruptedOneEndsTheOtherInGoodOrder) {
  server_.iterations = 1'000'000'000;
  server_.direction = NodeDirection::both;
  std::thread serving([this] { served_ = run_side(server_, server_notes_); });
  SideOutput output;
  output.progress_ms = 20;
  // Interrupted as soon as something has moved: the line says so.
  output.progress = [this](std::string_view line) {
    interrupted_ = line.find("2 moving") != std::string_view::npos;
  };
  output.interrupted = [this] { return interrupted_.load(); };
  called_ = run_node(client_, output);
  serving.join();
  for (const SideResult* result : {&served_, &called_}) {
    EXPECT_EQ(result->status, RunStatus::failed);
    EXPECT_THAT(result->text, HasSubstr("=== NODE INTERRUPTED: 2 / 2 GPUs ==="));
    EXPECT_THAT(result->text, HasSubstr("Accounts agree"));
  }
}

// Links that are no node's, and over which nobody says anything.
TEST_F(NodeRuns, StrangersDoNotHoldUpTheClient) {
  std::thread serving([this] { served_ = run_side(server_, server_notes_); });
  EngineOptions options;
  options.plugin = "builtin";
  options.devices = {"lo"};
  const auto engine = Engine::create(options);
  ASSERT_TRUE(engine.ok()) << engine.error().message();
  std::vector<Link> strangers;
  for (int i = 0; i < 3; ++i) {
    auto link = (*engine)->connect("127.0.0.1", ports_.base());
    ASSERT_TRUE(link.ok()) << link.error().message();
    strangers.push_back(std::move(*link));
  }
  called_ = run_side(client_, client_notes_);
  serving.join();
  EXPECT_EQ(served_.status, RunStatus::passed) << served_.text << server_notes_.all();
  EXPECT_EQ(called_.status, RunStatus::passed) << called_.text << client_notes_.all();
}

TEST_F(NodeRuns, WrongOptionsAreSaid) {
  client_.bytes = 0;
  called_ = run_side(client_, client_notes_);
  EXPECT_EQ(called_.status, RunStatus::bad_options);
  EXPECT_EQ(called_.text, "");
  EXPECT_THAT(client_notes_.all(), HasSubstr("bytes"));
}

TEST_F(NodeRuns, NobodyThereIsNoHang) {
  server_.timeout_ms = 200;
  served_ = run_side(server_, server_notes_);
  EXPECT_EQ(served_.status, RunStatus::could_not_run);
  EXPECT_THAT(served_.text, HasSubstr("GPU 1: FAILED (timeout)"));
}

}  // namespace
}  // namespace hawser::node
