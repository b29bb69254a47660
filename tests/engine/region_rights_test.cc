// What may be done with regions, and what is refused.
#include <cstring>
#include <random>

#include "engine/fixture.h"

namespace hawser::test {
namespace {

class RegionRights : public EngineTest {
 protected:
  // Each kind of one-sided transfer with these places is refused, here or by the owner.
  void expect_refused(const Piece& local, const RemoteRegion& remote, std::uint64_t local_offset,
                      std::uint64_t remote_offset, std::uint64_t bytes) {
    EXPECT_CODE(
        outcome(near().write(local.region.span(local_offset, bytes), remote.at(remote_offset))),
        Code::invalid_argument);
    EXPECT_CODE(
        outcome(near().read(local.region.span(local_offset, bytes), remote.at(remote_offset))),
        Code::invalid_argument);
  }
  // The link has come to no harm.
  void expect_working() {
    const auto from = near_piece(100);
    const auto to = far_piece(100);
    from->memory.fill(9);
    ASSERT_OK(outcome(near().write(from->region.span(0, 100), to->remote.at(0))));
    EXPECT_EQ(to->memory.mismatch(9, 0, 100), "");
  }
};

TEST_P(RegionRights, BoundsOfBothSides) {
  const auto local = near_piece(1000);
  const auto remote = far_piece(500);
  struct Case {
    std::uint64_t local, remote, bytes;
  };
  const Case cases[] = {{0, 0, 501},
                        {501, 0, 500},
                        {0, 1, 500},
                        {1001, 0, 1},
                        {0, 501, 1},
                        {UINT64_MAX, 0, 1},
                        {0, UINT64_MAX, 1},
                        {UINT64_MAX - 9, 0, 20},
                        {0, UINT64_MAX - 9, 20},
                        {0, 0, UINT64_MAX},
                        {1, 1, UINT64_MAX},
                        {UINT64_MAX, UINT64_MAX, UINT64_MAX},
                        {1ULL << 63, 1ULL << 63, 1ULL << 63}};
  for (const Case& it : cases) {
    SCOPED_TRACE(testing::Message() << it.local << " " << it.remote << " " << it.bytes);
    expect_refused(*local, remote->remote, it.local, it.remote, it.bytes);
  }
  EXPECT_CODE(outcome(near().send(1, local->region.span(1, 1000))), Code::invalid_argument);
  EXPECT_CODE(outcome(near().send(1, local->region.span(UINT64_MAX, 2))), Code::invalid_argument);
  EXPECT_CODE(outcome(near().recv(1, local->region.span(1000, 1))), Code::invalid_argument);
  // One bad block among good ones: nothing of it is begun.
  local->memory.fill(1);
  const std::vector<Block> blocks = {{0, 0, 10}, {0, 491, 10}};
  EXPECT_CODE(outcome(near().write(local->region, remote->remote, blocks)), Code::invalid_argument);
  EXPECT_TRUE(remote->memory.untouched_outside(0, 0));
  expect_working();
}

TEST_P(RegionRights, AreThoseOfTheToken) {
  const auto local = near_piece(100);
  const auto none = far_piece(100, Rights::none);
  const auto readable = far_piece(100, Rights::read);
  const auto writable = far_piece(100, Rights::write);
  expect_refused(*local, none->remote, 0, 0, 100);
  EXPECT_CODE(outcome(near().write(local->region.span(0, 100), readable->remote.at(0))),
              Code::invalid_argument);
  EXPECT_OK(outcome(near().read(local->region.span(0, 100), readable->remote.at(0))));
  EXPECT_CODE(outcome(near().read(local->region.span(0, 100), writable->remote.at(0))),
              Code::invalid_argument);
  EXPECT_OK(outcome(near().write(local->region.span(0, 100), writable->remote.at(0))));
  // Its owner needs none.
  const Transfer receive = far().recv(1, none->region.span(0, 100));
  EXPECT_OK(outcome(near().send(1, local->region.span(0, 100))));
  EXPECT_OK(outcome(receive));
}

// FNV-1a, as the token has it: whoever forges one gets it right.
void seal(std::vector<std::byte>& token) {
  std::uint32_t hash = 2166136261U;
  for (std::size_t at = 8; at < token.size(); ++at)
    hash = (hash ^ std::to_integer<std::uint32_t>(token[at])) * 16777619U;
  std::memcpy(token.data() + 4, &hash, sizeof hash);
}

TEST_P(RegionRights, ForgedTokensAreRefusedByTheOwner) {
  const auto local = near_piece(2000);
  const auto remote = far_piece(1000, Rights::read);
  const std::vector<std::byte> token = remote->region.token();
  const auto forged = [&](auto change) {
    std::vector<std::byte> bytes = token;
    change(bytes);
    seal(bytes);
    auto made = RemoteRegion::from_token(bytes);
    EXPECT_OK(made);
    return made.ok() ? *made : RemoteRegion();
  };
  // More rights, more bytes, another key than the owner gave.
  const RemoteRegion rights = forged([](auto& bytes) { bytes[36] = std::byte{3}; });
  EXPECT_CODE(outcome(near().write(local->region.span(0, 1000), rights.at(0))),
              Code::invalid_argument);
  const RemoteRegion longer = forged([](auto& bytes) { bytes[26] = std::byte{1}; });
  EXPECT_CODE(outcome(near().read(local->region.span(0, 501), longer.at(500))),
              Code::invalid_argument);
  EXPECT_CODE(outcome(near().read(local->region.span(0, 1), longer.at(65'000))),
              Code::invalid_argument);
  const RemoteRegion key = forged([](auto& bytes) {
    bytes[8] ^= std::byte{1};
    bytes[36] = std::byte{3};
  });
  expect_refused(*local, key, 0, 0, 1000);
  TransferOptions options;
  options.notification = "never";
  EXPECT_CODE(outcome(near().write(local->region.span(0, 1000), rights.at(0), options)),
              Code::invalid_argument);
  expect_working();
  EXPECT_FALSE(far().take_notification().has_value());
  EXPECT_TRUE(remote->memory.untouched_outside(0, 0));
}

TEST_P(RegionRights, DamagedTokensAreNone) {
  const auto remote = far_piece(1000);
  const std::vector<std::byte> token = remote->region.token();
  ASSERT_EQ(token.size(), kRegionTokenBytes);
  for (std::size_t bit = 0; bit < token.size() * 8; ++bit) {
    std::vector<std::byte> damaged = token;
    damaged[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_CODE(RemoteRegion::from_token(damaged), Code::invalid_argument);
  }
  for (std::size_t bytes = 0; bytes < token.size(); ++bytes)
    EXPECT_CODE(RemoteRegion::from_token({token.data(), bytes}), Code::invalid_argument);
  auto longer = token;
  longer.push_back({});
  EXPECT_CODE(RemoteRegion::from_token(longer), Code::invalid_argument);
  const auto whole = RemoteRegion::from_token(token);
  ASSERT_OK(whole);
  EXPECT_EQ(whole->bytes(), 1000u);
  EXPECT_EQ(whole->rights(), Rights::read_write);
  EXPECT_EQ(whole->gpu(), remote->region.gpu());
}

TEST_P(RegionRights, OfNothingAndOfOtherEngines) {
  const auto local = near_piece(100);
  const auto remote = far_piece(100);
  EXPECT_CODE(outcome(near().write(Region().span(0, 1), remote->remote.at(0))),
              Code::invalid_argument);
  EXPECT_CODE(outcome(near().write(local->region.span(0, 0), RemoteRegion().at(0))),
              Code::invalid_argument);
  EXPECT_CODE(outcome(near().send(1, Region().span(0, 0))), Code::invalid_argument);
  EXPECT_CODE(outcome(Link().write(local->region.span(0, 1), remote->remote.at(0))),
              Code::invalid_argument);
  EXPECT_CODE(outcome(Link().notify("")), Code::invalid_argument);
  EXPECT_CODE(Transfer().result(), Code::invalid_argument);
  EXPECT_TRUE(Transfer().done());
  // The peer's engine owns it, or the engine that asks: neither is the other side of the link.
  EXPECT_CODE(outcome(near().write(remote->region.span(0, 1), remote->remote.at(0))),
              Code::invalid_argument);
  expect_refused(*local, local->remote, 0, 0, 100);
  expect_working();
}

TEST_P(RegionRights, OfZeroBytes) {
  auto registered = client().register_memory(nullptr, 0);
  ASSERT_OK(registered);
  const auto remote = far_piece(0);
  EXPECT_OK(outcome(near().write(registered->span(0, 0), remote->remote.at(0))));
  EXPECT_OK(outcome(near().read(registered->span(0, 0), remote->remote.at(0))));
  EXPECT_CODE(outcome(near().write(registered->span(0, 1), remote->remote.at(0))),
              Code::invalid_argument);
  EXPECT_OK(registered->deregister());
  EXPECT_CODE(client().register_memory(nullptr, 1), Code::invalid_argument);
}

HAWSER_ENGINE_SUITE(RegionRights);

}  // namespace
}  // namespace hawser::test
