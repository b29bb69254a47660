// An engine whose threads get no memory at some moment: that ends one link at most, and no process.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include <hawser/engine.h>

#include "support/failing_memory.h"
#include "support/threads.h"

namespace hawser::test {
namespace {

constexpr int kPatienceMs = 30'000;
constexpr std::size_t kBytes = 300'000;

// Two engines, and links between them.
class EngineMemory : public testing::Test {
 protected:
  struct Ends {
    Link near, far;
    bool up() const { return near.up() && far.up(); }
  };

  void SetUp() override {
    for (auto* const engine : {&client_, &server_}) {
      auto made = Engine::create(EngineOptions{.plugin = "builtin"});
      ASSERT_TRUE(made.ok()) << made.error().message();
      *engine = std::move(*made);
    }
    auto listening = server_->listen("127.0.0.1", 0);
    ASSERT_TRUE(listening.ok());
    acceptor_ = std::move(*listening);
    auto here = client_->register_memory(here_.data(), kBytes);
    auto there = server_->register_memory(there_.data(), kBytes);
    ASSERT_TRUE(here.ok() && there.ok());
    region_ = *here;
    far_region_ = *there;
    remote_ = *RemoteRegion::from_token(far_region_.token());
  }

  Ends connect() {
    auto near = client_->connect("127.0.0.1", acceptor_->port());
    EXPECT_TRUE(near.ok()) << near.error().message();
    auto far = acceptor_->accept(kPatienceMs);
    EXPECT_TRUE(far.ok()) << far.error().message();
    return near.ok() && far.ok() ? Ends{*near, *far} : Ends{};
  }
  std::vector<Transfer> work_on(const Ends& ends) {
    std::vector<Transfer> all;
    TransferOptions told;
    told.notification = "written";
    all.push_back(ends.far.recv(1, far_region_, 0, kBytes));
    all.push_back(ends.near.write(region_, 0, remote_, 0, kBytes, told));
    all.push_back(ends.near.read(region_, 0, remote_, 0, kBytes));
    all.push_back(ends.near.send(1, region_, 0, kBytes));
    all.push_back(ends.far.notify("a text that is too long to be kept in a string's own place"));
    for (Transfer& transfer : all) transfer.on_done([](const Status&) {});
    return all;
  }
  // Links and channels are made, used and ended while the memory fails; all of it comes to an end.
  void try_with(std::size_t number, std::size_t count) {
    const Ends ends = connect();
    ASSERT_TRUE(ends.near && ends.far);
    std::vector<Transfer> transfers;
    std::size_t failed = 0;
    {
      const FailingMemory failing(number, count);
      transfers = work_on(ends);
      for (const Transfer& transfer : transfers) transfer.wait(200);
      failed = failing.failed();
    }
    ever_failed_ = ever_failed_ || failed > 0;
    for (const Transfer& transfer : transfers)
      ASSERT_TRUE(transfer.wait(kPatienceMs)) << transfer.bytes_done() << " bytes done";
    if (failed == 0)
      for (const Transfer& transfer : transfers) EXPECT_TRUE(transfer.result().ok());
    ends.near.close();
    ends.far.close();
  }

  std::vector<std::byte> here_ = std::vector<std::byte>(kBytes);
  std::vector<std::byte> there_ = std::vector<std::byte>(kBytes);
  std::unique_ptr<Engine> client_, server_;
  std::unique_ptr<Acceptor> acceptor_;
  Region region_, far_region_;
  RemoteRegion remote_;
  bool ever_failed_ = false;
};

TEST_F(EngineMemory, OneFailureEndsOneLinkAtMost) {
  Ends other = connect();
  for (std::size_t number = 0; number < 120; number += 1 + number / 8) {
    SCOPED_TRACE(number);
    if (!other.up()) other = connect();
    try_with(number, 1);
    if (HasFatalFailure()) return;
  }
  EXPECT_TRUE(ever_failed_);
}

TEST_F(EngineMemory, NoneForAWhileEndsLinksAndNothingElse) {
  for (std::size_t number = 0; number < 60; number += 1 + number / 4) {
    SCOPED_TRACE(number);
    try_with(number, 40);
    if (HasFatalFailure()) return;
  }
  try_with(0, 0);
}

}  // namespace
}  // namespace hawser::test
