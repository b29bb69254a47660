// Registrations come and go, and serve as far as the Net says.
#include "conformance/fixture.h"

namespace hawser::test {
namespace {

TEST_P(NetConformance, RegistrationsComeAndGo) {
  const auto channel = make_channel(kPageBytes);
  ASSERT_NE(channel, nullptr);
  const GuardedBuffer buffer(256 * 1024);
  for (int round = 0; round < 50; ++round) {
    for (Comm* comm : {static_cast<Comm*>(channel->pair.sender.get()),
                       static_cast<Comm*>(channel->pair.receiver.get())}) {
      const auto registration = comm->register_memory(buffer.range());
      ASSERT_OK(registration);
      ASSERT_OK(comm->deregister(*registration));
    }
  }
  send_and_check(*channel, 1000, 1);
}

TEST_P(NetConformance, ManyRegistrationsLiveSideBySide) {
  const auto channel = make_channel(kPageBytes);
  ASSERT_NE(channel, nullptr);
  const GuardedBuffer buffer(64 * kPageBytes);
  std::vector<Registration*> registrations;
  for (std::size_t page = 0; page < 64; ++page) {
    const auto registration =
        channel->pair.sender->register_memory(buffer.range().slice(page * kPageBytes, kPageBytes));
    ASSERT_OK(registration);
    registrations.push_back(*registration);
  }
  fill_pattern(buffer.span(9 * kPageBytes, 1000), 9);
  ASSERT_OK(channel->post_receive(0, 1000));
  const auto posted = channel->send.post(buffer.data() + 9 * kPageBytes, 1000, 0, registrations[9]);
  ASSERT_OK(posted);
  ASSERT_TRUE(*posted);
  ASSERT_OK(channel->drain_both());
  EXPECT_EQ(pattern_mismatch(channel->to.span(0, 1000), 9), "");
  for (Registration* registration : registrations)
    EXPECT_OK(channel->pair.sender->deregister(registration));
}

TEST_P(NetConformance, ARegistrationOfTheDeviceServesEveryComm) {
  if (!capabilities().registration_per_device) GTEST_SKIP() << "registrations are per comm here";
  const auto first = make_channel(kPageBytes);
  const auto second = make_channel(kPageBytes);
  ASSERT_TRUE(first && second);
  fill_pattern(first->from.span(0, 500), 4);
  ASSERT_OK(second->post_receive(0, 500));
  const auto posted = second->send.post(first->from.data(), 500, 0, first->send_registration.get());
  ASSERT_OK(posted);
  ASSERT_TRUE(*posted);
  ASSERT_OK(second->drain_both());
  EXPECT_EQ(pattern_mismatch(second->to.span(0, 500), 4), "");
}

}  // namespace
}  // namespace hawser::test
