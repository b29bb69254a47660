#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "net/tcp/registration.h"

namespace hawser::tcp {
namespace {

class TcpRegistration : public testing::Test {
 protected:
  TcpRegistration() : memory_(1000) {
    registration_ = *table_.add({memory_.data(), memory_.size()});
  }
  bool inside(std::ptrdiff_t offset, std::size_t bytes) {
    return check_post(registration_, memory_.data() + offset, bytes).ok();
  }

  std::vector<std::byte> memory_;
  RegistrationTable table_;
  Registration* registration_ = nullptr;
};

TEST_F(TcpRegistration, OnlyWhatLiesInsideMayBePosted) {
  EXPECT_TRUE(inside(0, 1000));
  EXPECT_TRUE(inside(999, 1));
  EXPECT_FALSE(inside(0, 1001));
  EXPECT_FALSE(inside(1000, 1));
  EXPECT_FALSE(inside(1, 1000));
  EXPECT_FALSE(inside(500, SIZE_MAX - 400));
  EXPECT_FALSE(check_post(registration_, nullptr, 1).ok());
  EXPECT_FALSE(check_post(nullptr, memory_.data(), 1).ok());
}

TEST_F(TcpRegistration, NoBytesNeedNoRegistration) {
  EXPECT_TRUE(check_post(nullptr, nullptr, 0).ok());
  EXPECT_TRUE(inside(1000, 0));
}

TEST_F(TcpRegistration, EachIsCountedAndRemovedOnce) {
  const auto again = table_.add({memory_.data(), memory_.size()});
  ASSERT_TRUE(again.ok());
  EXPECT_NE(*again, registration_);
  EXPECT_EQ(table_.size(), 2u);
  EXPECT_TRUE(table_.remove(*again).ok());
  EXPECT_FALSE(table_.remove(*again).ok());
  EXPECT_FALSE(table_.remove(nullptr).ok());
  EXPECT_EQ(table_.size(), 1u);
}

TEST_F(TcpRegistration, WhatWasDroppedIsKnownAsSuch) {
  ASSERT_TRUE(table_.remove(registration_).ok());
  const Status posted = check_post(registration_, memory_.data(), 10);
  ASSERT_FALSE(posted.ok());
  EXPECT_EQ(posted.error().code(), Code::invalid_argument);
  EXPECT_NE(posted.error().message().find("a registration that was dropped"), std::string::npos);
  for (int i = 0; i < 3; ++i) {
    const auto next = table_.add({memory_.data(), 10});
    EXPECT_EQ(*next, registration_) << "its place is used again";
    EXPECT_TRUE(table_.remove(*next).ok());
  }
}

TEST_F(TcpRegistration, WhatIsNoHostMemoryIsRefused) {
  const auto cuda = table_.add({memory_.data(), 1000, MemoryKind::cuda, 0});
  ASSERT_FALSE(cuda.ok());
  EXPECT_EQ(cuda.error().code(), Code::invalid_argument);
  EXPECT_FALSE(table_.add({nullptr, 10}).ok());
  EXPECT_FALSE(table_.add({memory_.data(), 0}).ok());
}

}  // namespace
}  // namespace hawser::tcp
