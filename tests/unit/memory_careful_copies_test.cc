// Copies of memory that may not be there, and what is asked before it is registered.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstring>
#include <vector>

#include "memory/access.h"
#include "memory/careful_copies.h"
#include "support/vanishing_memory.h"

namespace hawser {
namespace {

using namespace test;

constexpr std::size_t kBytes = 64 * 1024;

// With a file, and with none.
class MemoryCarefulCopies : public testing::TestWithParam<bool> {
 protected:
  MemoryCarefulCopies() : copies_(GetParam() ? *PageFile::create() : nullptr) {
    own_ = copies_.make_own(kBytes);
    for (std::size_t i = 0; i < kBytes; ++i) user_.data()[i] = static_cast<std::byte>(i * 7 >> 3);
  }
  std::byte* user(std::size_t offset) const { return user_.data() + offset; }

  CarefulCopies copies_;
  VanishingMemory user_{kBytes};
  std::byte* own_ = nullptr;
};
INSTANTIATE_TEST_SUITE_P(File, MemoryCarefulCopies, testing::Bool());

TEST_P(MemoryCarefulCopies, AnyBlocksIntoOwnMemoryAndOutOfIt) {
  std::vector<BlockCopy> in, out;
  for (std::size_t i = 0; i < 1500; ++i) in.push_back({own_ + 10 * i, user(40 * i), 10});
  EXPECT_EQ(copies_.copy(in).copied, in.size());
  std::memset(user(0), 0, kBytes);
  // With gaps of ours between them, small ones and large ones, and in a new order.
  for (std::size_t i = 0; i < 1500; ++i)
    if (i % 7 != 0 && (i < 500 || i > 600)) out.push_back({user(40 * i), own_ + 10 * i, 10});
  std::swap(out[3], out[400]);
  const auto outcome = copies_.copy(out);
  EXPECT_EQ(outcome.copied, out.size());
  EXPECT_EQ(outcome.err, 0);
  for (std::size_t at = 0; at < kBytes; ++at) {
    const std::size_t i = at / 40;
    const bool copied = at % 40 < 10 && i < 1500 && i % 7 != 0 && (i < 500 || i > 600);
    ASSERT_EQ(user(0)[at], copied ? static_cast<std::byte>(at * 7 >> 3) : std::byte{0}) << at;
  }
}

TEST_P(MemoryCarefulCopies, TheFirstBlockThatIsNotThereIsNamed) {
  for (const auto way : {VanishingMemory::Way::no_access, VanishingMemory::Way::unmapped}) {
    user_.vanish(way, 8192, 4096);
    std::vector<BlockCopy> in, out;
    for (std::size_t i = 0; i < 16; ++i) {
      in.push_back({own_ + 1000 * i, user(1000 * i), 1000});
      out.push_back({user(1000 * i), own_ + 1000 * i, 1000});
    }
    // 8192 lies in the ninth.
    for (const auto& blocks : {in, out}) {
      const auto outcome = copies_.copy(blocks);
      EXPECT_EQ(outcome.copied, 8u);
      EXPECT_EQ(outcome.err, EFAULT);
      EXPECT_EQ(copies_.failure(blocks[8], outcome.err).code(), Code::invalid_argument);
      EXPECT_EQ(copies_.copy(std::span(blocks).subspan(13)).err, 0) << "behind the hole";
    }
    EXPECT_FALSE(copies_.check_readable({user(0), 9000}).ok());
    EXPECT_TRUE(copies_.check_readable({user(12288), 9000}).ok());
    EXPECT_FALSE(check_writable({user(0), 9000}).ok());
    EXPECT_TRUE(check_writable({user(12288), 9000}).ok());
  }
}

TEST_P(MemoryCarefulCopies, WhatMayOnlyBeReadIsNotWritten) {
  user_.protect(0, kBytes, PROT_READ);
  const BlockCopy in{own_, user(0), 8}, out{user(0), own_, 8};
  EXPECT_EQ(copies_.copy({&in, 1}).err, 0);
  EXPECT_EQ(copies_.copy({&out, 1}).err, EFAULT);
  EXPECT_FALSE(check_writable({user(0), 8}).ok());
}

TEST(MemoryPageFile, PlacesAreUsedAgainAndAreEmptyThen) {
  const auto file = *PageFile::create();
  auto first = *file->allocate(5000);
  const off_t place = first->offset_of(first->data());
  std::memset(first->data(), 1, 5000);
  const auto other = *file->allocate(5000);
  first.reset();
  const auto again = *file->allocate(5000);
  EXPECT_EQ(again->offset_of(again->data()), place);
  EXPECT_EQ(again->data()[0], std::byte{0});
  EXPECT_FALSE(other->holds(again->data(), 1));
}

TEST(MemoryAccess, WhatIsNotThereIsNotRegistered) {
  const auto refusal = [](const VanishingMemory& memory, Access access) {
    const Status status = check_registrable({memory.data() + 100, kBytes - 200}, access);
    return status.ok() ? std::string() : status.error().message();
  };
  for (const auto way : kWaysToVanish) {
    VanishingMemory memory(kBytes);
    EXPECT_EQ(refusal(memory, Access::read), "");
    EXPECT_EQ(refusal(memory, Access::write), "");
    memory.vanish(way, kBytes - 8192, 8192);
    EXPECT_NE(refusal(memory, Access::read), "") << static_cast<int>(way);
    EXPECT_NE(refusal(memory, Access::write), "");
  }
  VanishingMemory hole(kBytes);
  hole.vanish(VanishingMemory::Way::unmapped, 8192, 4096);
  EXPECT_EQ(refusal(hole, Access::read),
            fmt::format("65336 bytes at {}: at {} nothing is mapped; if it is a GPU's memory, this "
                        "process lacks its driver",
                        fmt::ptr(hole.data() + 100), fmt::ptr(hole.data() + 8192)));
}

TEST(MemoryAccess, RightsAreAskedFor) {
  const VanishingMemory constant(kBytes, PROT_READ);
  EXPECT_TRUE(check_registrable({constant.data(), kBytes}, Access::read).ok());
  const Status written = check_registrable({constant.data(), kBytes}, Access::write);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(
      written.error().message(),
      fmt::format("65536 bytes at {0}: at {0} it cannot be written", fmt::ptr(constant.data())));
}

}  // namespace
}  // namespace hawser
