// An engine whose plugin hangs in a call: it ends within its patience, and says which call it was.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>

#include <hawser/engine.h>

#include "support/built.h"
#include "support/threads.h"

namespace hawser::test {
namespace {

constexpr int kPatienceMs = 200;
constexpr unsigned kGiveUpSeconds = 60;  // then a signal ends the process

std::unique_ptr<Engine> engine_with(const char* faults) {
  ::alarm(kGiveUpSeconds);
  setenv("NCCL_GPUDIRECTTCPX_SOCKET_IFNAME", "=lo", 1);
  setenv("HAWSER_CUDA_LIBRARY", "/nowhere/libcuda.so", 1);
  setenv("HAWSER_EMU_FAULTS", faults, 1);
  EngineOptions options;
  options.plugin = built("tests/emu/libnccl-net-tcpx-emu.so");
  auto engine = Engine::create(options);
  if (!engine.ok()) std::fprintf(stderr, "%s\n", engine.error().message().c_str());
  return engine.ok() ? std::move(*engine) : nullptr;
}

// Ends the process with 0 where close() gives the call's name, and the destructor does not wait.
[[noreturn]] void close_and_exit(std::unique_ptr<Engine> engine) {
  const Status closed = engine->close(kPatienceMs);
  engine.reset();
  std::fprintf(stderr, "closed: %s\n", closed.ok() ? "well" : closed.error().message().c_str());
  ::_exit(!closed.ok() && closed.error().code() == Code::timeout ? 0 : 1);
}

class EngineHangDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(EngineHangDeathTest, WhileAChannelIsMade) {
  const auto hang = [] {
    std::unique_ptr<Engine> engine = engine_with("listen=hang");
    if (!engine) ::_exit(2);
    const auto acceptor = engine->listen("127.0.0.1", 0);
    if (!acceptor.ok()) ::_exit(3);
    LinkOptions options;
    options.timeout_ms = kPatienceMs;
    if (engine->connect("127.0.0.1", (*acceptor)->port(), options).ok()) ::_exit(4);
    close_and_exit(std::move(engine));
  };
  EXPECT_EXIT(hang(), testing::ExitedWithCode(0), "closed: .*stuck in listen.*left behind");
}

TEST_F(EngineHangDeathTest, WhileAChannelIsDriven) {
  const auto hang = [] {
    std::unique_ptr<Engine> engine = engine_with("isend=hang");
    if (!engine) ::_exit(2);
    const auto acceptor = engine->listen("127.0.0.1", 0);
    if (!acceptor.ok()) ::_exit(3);
    auto near = engine->connect("127.0.0.1", (*acceptor)->port());
    if (!near.ok()) ::_exit(4);
    const Transfer said = near->notify("are you there?");
    close_and_exit(std::move(engine));
  };
  EXPECT_EXIT(hang(), testing::ExitedWithCode(0), "closed: .*stuck in isend.*left behind");
}

}  // namespace
}  // namespace hawser::test
