// Transfers whose lengths and offsets need more than 32 bits.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "base/fd.h"
#include "engine/fixture.h"
#include "support/sanitizers.h"

namespace hawser::test {
namespace {

// A period that 4 GiB is no multiple of: an offset that lost its upper half shows.
constexpr std::size_t kPeriod = 48 << 20;
constexpr std::size_t kPeriods = 110;  // 5.2 GiB
constexpr std::size_t kLargeBytes = kPeriods * kPeriod;
constexpr int kLargePatienceMs = 4 * kPatienceMs;  // of a machine that is busy with other tests

// Many times the same memory, one after another.
class Repeated {
 public:
  Repeated() : file_(::memfd_create("repeated", MFD_CLOEXEC)) {
    EXPECT_EQ(::ftruncate(file_.get(), kPeriod), 0);
    void* const room =
        ::mmap(nullptr, kLargeBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    EXPECT_NE(room, MAP_FAILED);
    data_ = static_cast<std::byte*>(room);
    for (std::size_t i = 0; i < kPeriods; ++i)
      EXPECT_NE(::mmap(data_ + i * kPeriod, kPeriod, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                       file_.get(), 0),
                MAP_FAILED);
  }
  ~Repeated() { ::munmap(data_, kLargeBytes); }
  Repeated(const Repeated&) = delete;
  Repeated& operator=(const Repeated&) = delete;

  std::byte* data() const { return data_; }
  std::span<std::byte> period() const { return {data_, kPeriod}; }

 private:
  UniqueFd file_;
  std::byte* data_ = nullptr;
};

class TransferLarge : public EngineTest {
 protected:
  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "gigabytes take too long under a sanitizer";
    EngineTest::SetUp();
    fill_pattern(from_.period(), 1);
    here_ = *client().register_memory(from_.data(), kLargeBytes);
    there_ = *server().register_memory(to_.data(), kLargeBytes);
    there_remote_ = *RemoteRegion::from_token(there_.token());
    here_remote_ = *RemoteRegion::from_token(here_.token());
  }
  void expect_arrived(const Transfer& transfer, std::size_t bytes) {
    ASSERT_OK(outcome(transfer, kLargePatienceMs));
    EXPECT_EQ(transfer.bytes_done(), bytes);
    EXPECT_EQ(std::memcmp(from_.data(), to_.data(), kPeriod), 0);
    std::memset(to_.data(), 0, kPeriod);
  }

  Repeated from_, to_;
  Region here_, there_;
  RemoteRegion here_remote_, there_remote_;
};

TEST_P(TransferLarge, Write) {
  expect_arrived(near().write(here_.span(0, kLargeBytes), there_remote_.at(0)), kLargeBytes);
}

TEST_P(TransferLarge, Read) {
  expect_arrived(far().read(there_.span(0, kLargeBytes), here_remote_.at(0)), kLargeBytes);
}

TEST_P(TransferLarge, Message) {
  const Transfer receive = far().recv(1, there_.span(0, kLargeBytes));
  ASSERT_OK(outcome(near().send(1, here_.span(0, kLargeBytes)), kLargePatienceMs));
  expect_arrived(receive, kLargeBytes);
}

// One period, from far behind to far behind, in blocks.
TEST_P(TransferLarge, BlocksBeyond32Bits) {
  constexpr std::size_t kBlock = kPeriod / 64;
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::size_t within = (i * 37 % 64) * kBlock;
    blocks.push_back(
        {(kPeriods - 1) * kPeriod + within, (kPeriods - 2) * kPeriod + within, kBlock});
  }
  expect_arrived(near().write(here_, there_remote_, blocks), kPeriod);
  for (Block& block : blocks) std::swap(block.local_offset, block.remote_offset);
  expect_arrived(far().read(there_, here_remote_, blocks), kPeriod);
}

INSTANTIATE_TEST_SUITE_P(Engine, TransferLarge, testing::Values(plain_variant()), variant_name);

}  // namespace
}  // namespace hawser::test
