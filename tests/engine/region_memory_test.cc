// Memory that is not there, not any more, or not for that: it costs the transfer that wants it.
#include "engine/fixture.h"
#include "support/sanitizers.h"
#include "support/vanishing_memory.h"

namespace hawser::test {
namespace {

using Way = VanishingMemory::Way;

constexpr std::size_t kMappedBytes = 4 << 20;

class RegionMemory : public EngineTest {
 protected:
  // Ways of data: in a frame, as a message of its own, and gathered out of pieces.
  std::vector<std::vector<Block>> shapes() const {
    const std::uint64_t chunk = variant().chunk();
    return {{{0, 0, 8}},
            {{0, 0, 100}, {5000, 5000, 100}},
            {{0, 0, 3 * chunk / 2}},
            {{0, 0, 10000}, {20000, 20000, 10000}, {40000, 40000, chunk}}};
  }
  static std::vector<Extent> extents(const std::vector<Block>& blocks) {
    std::vector<Extent> all;
    for (const Block& block : blocks) all.push_back({block.local_offset, block.bytes});
    return all;
  }
  // The other transfers, and the link. Our own transport loses no channel by it.
  void expect_all_well() {
    const auto here = near_piece(20000);
    const auto there = far_piece(20000);
    here->memory.fill(1);
    ASSERT_OK(outcome(near().write(here->region.span(0, 20000), there->remote.at(0))));
    EXPECT_EQ(there->memory.mismatch(1, 0, 20000), "");
    for (const Link& link : {near(), far()}) {
      EXPECT_TRUE(link.up());
      for (const ChannelReport& channel : link.report().channels) {
        if (variant().plugin == "builtin") EXPECT_EQ(channel.failures, 0u) << channel.last_failure;
      }
    }
  }
  void expect_told_of_nothing() {
    ASSERT_OK(outcome(near().notify("end")));
    EXPECT_EQ(next_notification(far()), "end") << "of no data that did not come";
  }
};

TEST_P(RegionMemory, WhatIsNotThereIsNotRegistered) {
  const auto code = [&](int protection, Rights rights) {
    const VanishingMemory at(kMappedBytes, protection);
    const auto made = client().register_memory(at.data(), kMappedBytes, rights);
    return made.ok() ? std::optional<Code>() : made.error().code();
  };
  EXPECT_EQ(code(PROT_NONE, Rights::none), Code::invalid_argument);
  EXPECT_EQ(code(PROT_READ, Rights::write), Code::invalid_argument);
  EXPECT_EQ(code(PROT_READ, Rights::read_write), Code::invalid_argument);
  EXPECT_EQ(code(PROT_READ, Rights::read), std::nullopt);
  EXPECT_EQ(code(PROT_READ, Rights::none), std::nullopt);
  // Where a GPU's pointer looks like this: its driver is not there.
  EXPECT_CODE(client().register_memory(reinterpret_cast<void*>(0x1000), 4096),
              Code::invalid_argument);
}

// Own memory to send from, and to receive into.
TEST_P(RegionMemory, OwnMemoryThatVanishesFailsItsTransfer) {
  for (const Way way : kWaysToVanish) {
    for (const std::vector<Block>& shape : shapes()) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(way) << ", " << shape.size()
                                      << " blocks, the first of " << shape[0].bytes);
      VanishingMemory memory(kMappedBytes);
      auto gone = client().register_memory(memory.data(), kMappedBytes);
      ASSERT_OK(gone);
      const auto there = far_piece(kMappedBytes);
      memory.vanish(way);
      TransferOptions options;
      options.notification = "never";
      EXPECT_CODE(outcome(near().write(*gone, there->remote, shape, options)),
                  Code::invalid_argument);
      EXPECT_CODE(outcome(near().read(*gone, there->remote, shape)), Code::invalid_argument);
      // Whoever gets nothing is told by its sender, or waits for another.
      const Transfer in = far().recv(1, there->region.span(0, kMappedBytes));
      EXPECT_CODE(outcome(near().send(1, *gone, extents(shape))), Code::invalid_argument);
      in.cancel();
      EXPECT_FALSE(outcome(in).ok());
      const Transfer out = far().send(2, there->region, extents(shape));
      EXPECT_CODE(outcome(near().recv(2, *gone, extents(shape))), Code::invalid_argument);
      EXPECT_FALSE(outcome(out).ok());
      expect_told_of_nothing();
      EXPECT_OK(gone->deregister(InFlight::fail, kPatienceMs));
    }
  }
  expect_all_well();
}

// A region of the peer's: its owner does not fault, and whoever asked is told.
TEST_P(RegionMemory, MemoryOfThePeerThatVanishesFailsTheTransfer) {
  for (const Way way : kWaysToVanish) {
    for (const std::vector<Block>& shape : shapes()) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(way) << ", " << shape.size()
                                      << " blocks, the first of " << shape[0].bytes);
      VanishingMemory memory(kMappedBytes);
      auto gone = server().register_memory(memory.data(), kMappedBytes);
      ASSERT_OK(gone);
      const auto remote = RemoteRegion::from_token(gone->token());
      const auto here = near_piece(kMappedBytes);
      TransferOptions options;
      options.notification = "never";
      memory.protect(0, kMappedBytes, PROT_READ);
      EXPECT_CODE(outcome(near().write(here->region, *remote, shape, options)),
                  Code::invalid_argument);
      EXPECT_OK(outcome(near().read(here->region, *remote, shape)));
      memory.vanish(way);
      EXPECT_CODE(outcome(near().write(here->region, *remote, shape, options)),
                  Code::invalid_argument);
      EXPECT_CODE(outcome(near().read(here->region, *remote, shape)), Code::invalid_argument);
      expect_told_of_nothing();
    }
  }
  expect_all_well();
}

// One page of it is not there, and the rest of the region stays in use meanwhile.
TEST_P(RegionMemory, AHoleCostsNothingBesideIt) {
  if (kThreadSanitizer) GTEST_SKIP() << "threads write to one place here, on purpose";
  VanishingMemory memory(kMappedBytes);
  auto region = server().register_memory(memory.data(), kMappedBytes);
  ASSERT_OK(region);
  const auto remote = RemoteRegion::from_token(region->token());
  const auto here = near_piece(kMappedBytes);
  here->memory.fill(3);
  const std::uint64_t hole = kMappedBytes / 2;
  memory.vanish(Way::no_access, hole, 4096);
  std::vector<Transfer> beside;
  for (int i = 0; i < 4; ++i) {
    beside.push_back(near().write(here->region.span(0, hole), remote->at(0)));
    beside.push_back(near().write(here->region.span(8, 8), remote->at(8)));
  }
  // All small ones that travel together but one.
  std::vector<Transfer> small;
  for (std::uint64_t i = 0; i < 100; ++i)
    small.push_back(
        near().write(here->region.span(i * 64, 8), remote->at(hole - 50 * 64 + i * 64)));
  const Transfer bad = near().write(here->region.span(0, 2 * hole - 8192), remote->at(4096));
  EXPECT_CODE(outcome(bad), Code::invalid_argument);
  for (const Transfer& good : beside) EXPECT_OK(outcome(good));
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(outcome(small[i]).ok(), i < 50) << i;
  EXPECT_OK(outcome(near().write(here->region.span(0, hole - 4096), remote->at(hole + 4096))));
  expect_all_well();
}

// The gathered ones of a frame: each for itself.
TEST_P(RegionMemory, SmallWritesOutOfAHoleFailAlone) {
  VanishingMemory memory(kMappedBytes);
  auto region = client().register_memory(memory.data(), kMappedBytes);
  ASSERT_OK(region);
  std::memset(memory.data(), 5, kMappedBytes);
  const auto there = far_piece(kMappedBytes);
  memory.vanish(Way::no_access, 4096, 4096);
  std::vector<Transfer> small;
  for (std::uint64_t i = 0; i < 192; ++i)
    small.push_back(near().write(region->span(i * 64, 8), there->remote.at(i * 8)));
  for (std::size_t i = 0; i < 192; ++i) EXPECT_EQ(outcome(small[i]).ok(), i / 64 != 1) << i;
  for (std::size_t i = 0; i < 192; ++i) {
    if (i / 64 != 1) EXPECT_EQ(there->memory.get(i * 8, 8), std::vector(8, std::byte{5})) << i;
  }
  expect_all_well();
}

std::vector<Variant> host_variants() {
  std::vector<Variant> all = variants();
  std::erase_if(all, [](const Variant& one) { return one.any_gpu(); });
  return all;
}
INSTANTIATE_TEST_SUITE_P(Engine, RegionMemory, testing::ValuesIn(host_variants()), variant_name);

}  // namespace
}  // namespace hawser::test
