#include <gtest/gtest.h>
#include <poll.h>

#include "base/event_fd.h"
#include "support/file_limit.h"

namespace hawser {
namespace {

short ready(const EventFd& event) {
  pollfd watched{event.fd(), POLLIN | POLLOUT, 0};
  ::poll(&watched, 1, 0);
  return watched.revents;
}

TEST(EventFd, IsReadableFromTheFirstNotifyToTheNextClear) {
  const auto event = EventFd::make();
  ASSERT_TRUE(event.ok());
  EXPECT_EQ(ready(*event), POLLOUT);
  event->clear();  // nothing to clear
  event->notify();
  event->notify();
  EXPECT_EQ(ready(*event), POLLIN | POLLOUT);
  event->clear();
  EXPECT_EQ(ready(*event), POLLOUT);
}

TEST(EventFd, CannotBeWrittenFromFillToClear) {
  const auto event = EventFd::make();
  ASSERT_TRUE(event.ok());
  event->fill();
  event->fill();
  EXPECT_EQ(ready(*event), POLLIN);
  event->notify();  // full: no harm
  event->clear();
  EXPECT_EQ(ready(*event), POLLOUT);
}

TEST(EventFd, ThatIsNoneDoesNothing) {
  const EventFd none;
  none.notify();
  none.clear();
  EXPECT_EQ(none.fd(), -1);
}

TEST(EventFd, WithoutADescriptorIsAnError) {
  const test::NoMoreFiles no_more;
  const auto event = EventFd::make();
  ASSERT_FALSE(event.ok());
  EXPECT_EQ(event.error().code(), Code::system);
}

}  // namespace
}  // namespace hawser
