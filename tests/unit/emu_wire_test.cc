// Peers of the emulated TCPX that say the right hello and then rubbish.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstring>
#include <random>

#include "base/fd.h"
#include "emu_support.h"

namespace hawser::emu_test {
namespace {

// The frame and the handle of tests/emu/wire.h, written apart from it.
using FrameBytes = std::array<unsigned char, 24>;
constexpr std::uint32_t kMagic = 0x32504d45;
constexpr std::uint32_t kHello = 1;
constexpr std::uint32_t kData = 3;

FrameBytes frame(std::uint32_t kind, std::uint32_t number, std::uint64_t value) {
  FrameBytes bytes{};
  std::memcpy(bytes.data(), &kMagic, 4);
  std::memcpy(bytes.data() + 4, &kind, 4);
  std::memcpy(bytes.data() + 8, &number, 4);
  std::memcpy(bytes.data() + 16, &value, 8);
  return bytes;
}

// A peer that connected by hand: the receiving end is a real one.
class ForgedSender {
 public:
  explicit ForgedSender(Pair& pair) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    pair.listen();
    std::uint64_t nonce = 0;
    std::uint16_t port = 0;
    std::uint32_t channel = 0;
    std::memcpy(&nonce, pair.handle.data() + 8, sizeof nonce);
    std::memcpy(&channel, pair.handle.data() + 16, sizeof channel);
    std::memcpy(&port, pair.handle.data() + 26, sizeof port);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    say(frame(kHello, channel, nonce));
    emu::DeviceHandle* out = &pair.device_handle;
    EXPECT_TRUE(eventually([&] {
      return pair.plugin_->accept(pair.listen_comm, &pair.receive_comm, &out) != 0 ||
             pair.receive_comm != nullptr;
    }));
    EXPECT_EQ(pair.register_memory(pair.receive_comm, pair.destination, &pair.receive_registration),
              0);
  }

  void say(const FrameBytes& bytes) const {
    EXPECT_EQ(send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

 private:
  UniqueFd fd_;
};

// What test says of a receive of 4096 bytes when the peer says `bytes`; -1: still nothing after
// `polls` calls, or 10 s without a limit.
int answer_to(Plugin& plugin, const FrameBytes& bytes, int polls = -1) {
  Pair pair(plugin);
  const ForgedSender peer(pair);
  peer.say(bytes);
  void* receiving = nullptr;
  EXPECT_EQ(pair.receive(pair.destination.data(), 4096, &receiving), 0);
  int done = 0;
  int result = 0;
  eventually([&] {
    result = pair.test(receiving, &done);
    return result != 0 || done || --polls == 0;
  });
  if (done) {
    EXPECT_EQ(pair.consume(receiving), 0);
  }
  return result != 0 ? result : done ? 0 : -1;
}

TEST(EmuWire, FramesAreChecked) {
  Plugin plugin;
  EXPECT_EQ(answer_to(plugin, frame(kData, 0, 0)), 0);
  EXPECT_EQ(answer_to(plugin, frame(kData, 1, 0)), emu::kRemoteError);   // not its turn
  EXPECT_EQ(answer_to(plugin, frame(kHello, 0, 0)), emu::kRemoteError);  // not now
  EXPECT_EQ(answer_to(plugin, frame(4, 0, 10)), emu::kRemoteError);      // a receiver's
  EXPECT_EQ(answer_to(plugin, frame(99, 0, 10)), emu::kRemoteError);
  EXPECT_EQ(answer_to(plugin, FrameBytes{}), emu::kRemoteError);
  EXPECT_EQ(plugin.stats().violations, 0U);
  for (const std::uint64_t length :
       {std::uint64_t{4097}, std::uint64_t{1} << 32, ~std::uint64_t{0}})
    EXPECT_EQ(answer_to(plugin, frame(kData, 0, length)), emu::kInternalError) << length;
}

TEST(EmuWire, MutatedFramesNeverCrash) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Plugin plugin;
  for (int i = 0; i < 200; ++i) {
    FrameBytes bytes = frame(kData, 0, 100);
    bytes[random() % bytes.size()] ^= static_cast<unsigned char>(1 + random() % 255);
    answer_to(plugin, bytes, 200);
  }
  EXPECT_EQ(plugin.stats().receive_comms_alive, 0U);
}

}  // namespace
}  // namespace hawser::emu_test
