#include "engine/fixture.h"
#include "support/sanitizers.h"

#include <future>

namespace hawser::test {

Status outcome(const Transfer& transfer, int patience_ms) {
  if (transfer.wait(patience_ms)) return transfer.result();
  ADD_FAILURE() << "a transfer of " << transfer.bytes() << " bytes, " << transfer.bytes_done()
                << " of them done, did not end";
  return Error(Code::timeout, "a test's patience");
}

std::string next_notification(const Link& link) {
  std::optional<Notification> got;
  EXPECT_TRUE(eventually([&] {
    got = link.take_notification();
    return got.has_value();
  })) << "no notification came";
  return got ? got->text : "";
}

void EngineTest::SetUp() {
  // Both ends are in this process, and what orders them is not: all of it would be called a race.
  if (kThreadSanitizer && variant().isolate)
    GTEST_SKIP() << "the thread sanitizer sees no other process";
  set_environment(variant());
  auto client = make_engine(variant(), Role::client);
  ASSERT_OK(client);
  client_ = *client;
  auto server = make_engine(variant(), Role::server);
  ASSERT_OK(server);
  server_ = *server;
  links_ = make_links();
  ASSERT_TRUE(near() && far());
}

void EngineTest::TearDown() {
  if (links_.near) links_.near.close();
  if (links_.far) links_.far.close();
}

void EngineTest::destroy_client() {
  if (variant().kept) links_.near.close();
  client_.reset();
}

void EngineTest::destroy_server() {
  if (variant().kept) links_.far.close();
  server_.reset();
}

Links EngineTest::make_links(LinkOptions options) {
  options.channels_per_device = variant().channels;
  auto acceptor = server().listen("127.0.0.1", 0, options);
  EXPECT_OK(acceptor);
  if (!acceptor.ok()) return {};
  auto connecting = std::async(std::launch::async, [&] {
    return client().connect("127.0.0.1", (*acceptor)->port(), options);
  });
  auto connected = connecting.get();
  EXPECT_OK(connected);
  if (!connected.ok()) return {};
  auto accepted = (*acceptor)->accept(kPatienceMs);
  EXPECT_OK(accepted);
  return accepted.ok() ? Links{*connected, *accepted} : Links{};
}

std::vector<std::size_t> EngineTest::lengths() const {
  const std::size_t chunk = variant().chunk();
  return {0,    1,     7,         4095,  4096,      4097,      8191,           8192,
          8193, 16385, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 123};
}

}  // namespace hawser::test
