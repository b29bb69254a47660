// Ten thousand random and mutated handshakes, in the decoder and against a live server.
// HAWSER_TEST_SEED=n runs the same ones again.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "base/endian.h"
#include "base/log_limiter.h"
#include "base/text.h"
#include "bootstrap/rendezvous.h"
#include "support/bootstrap_fixture.h"
#include "support/seed.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using test::RawPeer;
using test::seed_of_this_run;
using Bytes = std::vector<std::byte>;

constexpr int kInDecoder = 7500;
constexpr int kOverSockets = 2500;
constexpr std::size_t kTypes = std::variant_size_v<wire::Message>;

// Makes handshakes that are wrong in many ways, and some that are right. Not thread-safe.
class Handshakes {
 public:
  explicit Handshakes(std::uint64_t seed) : random_(seed) {}

  Bytes next() {
    switch (below(6)) {
      case 0:
        return noise(below(200));
      case 1:
        return behind_a_header(noise(below(300)));
      case 2:
        return cut(frame());
      case 3:
        return twice(mutated(frame()));
      default:
        return mutated(frame());
    }
  }
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

 private:
  std::byte any_byte() { return static_cast<std::byte>(random_()); }

  Bytes noise(std::size_t bytes) {
    Bytes out(bytes);
    for (auto& byte : out) byte = any_byte();
    return out;
  }
  std::string text() {
    std::string out(below(1200), 'x');
    for (auto& character : out)
      if (below(4) == 0) character = static_cast<char>(random_());
    return out;
  }
  Bytes frame() {
    switch (below(14)) {
      case 0:
        return wire::encode(test::good_plan());
      case 1:
        return wire::encode(wire::Refuse{text()});
      case 2:
        return wire::encode(wire::HandleOffer{});
      case 3:
        return wire::encode(wire::ChannelStatus{1, 2, wire::Stage::created, false, text()});
      case 4:
        return wire::encode(wire::Barrier{static_cast<std::uint32_t>(random_())});
      case 5:
        return wire::encode(wire::PerfSetup{16, 1, random_() >> below(64), 1});
      case 6:
        return wire::encode(wire::PerfBare{random_(), 1, text()});
      case 7:
        return wire::encode(wire::PerfStep{1, wire::PerfKind::stream, false, 8, 1, random_()});
      case 8:
        return wire::encode(wire::PerfHost{text()});
      case 9:
        return wire::encode(wire::PerfResult{1, false, random_(), random_(), text()});
      case 10:
        return wire::encode(wire::PassDone{static_cast<std::uint32_t>(random_()), true, false});
      default:
        return wire::encode(hello());
    }
  }
  wire::Hello hello() {
    auto out = test::good_hello();
    out.channels = static_cast<std::uint32_t>(below(2000));
    out.memory = static_cast<std::uint8_t>(below(4));
    out.bytes = random_() >> below(64);
    if (below(3) == 0) out.transport = text();
    return out;
  }
  // A right header, whose length is that of the payload or nearly so.
  Bytes behind_a_header(const Bytes& payload) {
    Bytes out = wire::encode(wire::Heartbeat{});
    store_le(out.data() + 6, static_cast<std::uint16_t>(below(kTypes + 2)));
    store_le(out.data() + 8, static_cast<std::uint32_t>(payload.size() + below(3)));
    out.insert(out.end(), payload.begin(), payload.end());
    return out;
  }
  Bytes cut(Bytes bytes) {
    bytes.resize(below(bytes.size()));
    return bytes;
  }
  Bytes mutated(Bytes bytes) {
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) change_one(bytes);
    return bytes;
  }
  void change_one(Bytes& bytes) {
    const std::size_t at = below(bytes.size());
    const auto there = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    switch (below(4)) {
      case 0:
        bytes[at] ^= std::byte{1} << below(8);
        break;
      case 1:
        bytes[at] = any_byte();
        break;
      case 2:
        bytes.insert(there, any_byte());
        break;
      default:
        bytes.erase(there);
    }
  }
  Bytes twice(Bytes bytes) {
    const Bytes again = bytes;
    bytes.insert(bytes.end(), again.begin(), again.end());
    return bytes;
  }

  std::mt19937_64 random_;
};

struct Decoded {
  int messages = 0;
  bool wrong = false;
};

// What came out is good: it can be sent again, and comes out once more.
void expect_good(const wire::Message& message) {
  test::WireDecoder again;
  again.feed(wire::encode(message));
  const auto same = again.next();
  EXPECT_TRUE(same.ok() && same->has_value());
}

Decoded decode_in_pieces(const Bytes& bytes, Handshakes& random) {
  Decoded out;
  test::WireDecoder decoder;
  for (std::size_t at = 0; at < bytes.size() && !out.wrong;) {
    const std::size_t piece = std::min(1 + random.below(64), bytes.size() - at);
    decoder.feed(std::span(bytes).subspan(at, piece));
    at += piece;
    auto next = decoder.next();
    for (; next.ok() && next->has_value(); next = decoder.next()) {
      ++out.messages;
      expect_good(**next);
    }
    out.wrong = !next.ok();
    EXPECT_LE(decoder.pending().size(), wire::kHeaderBytes + wire::kMaxPayloadBytes + piece);
  }
  return out;
}

TEST(BootstrapFuzz, DecoderSurvivesRandomAndMutatedHandshakes) {
  Handshakes handshakes(seed_of_this_run());
  int wrong = 0;
  int right = 0;
  for (int i = 0; i < kInDecoder; ++i) {
    const auto decoded = decode_in_pieces(handshakes.next(), handshakes);
    wrong += decoded.wrong ? 1 : 0;
    right += decoded.messages > 0 ? 1 : 0;
  }
  std::printf("%d handshakes: %d with a good message, %d found wrong\n", kInDecoder, right, wrong);
  EXPECT_GT(wrong, kInDecoder / 10);
  EXPECT_GT(right, kInDecoder / 100) << "mutation that leaves nothing right tests too little";
}

TEST(BootstrapFuzz, PayloadsOfEveryTypeAndLengthAreDecodedOrRefused) {
  std::mt19937_64 random(seed_of_this_run());
  for (int i = 0; i < 20000; ++i) {
    Bytes payload(random() % (i % 100 == 0 ? wire::kMaxPayloadBytes + 1 : 160));
    for (auto& byte : payload) byte = static_cast<std::byte>(random() % 3 == 0 ? random() : 0);
    const wire::Header header{static_cast<std::uint16_t>(random() % (kTypes + 2)),
                              static_cast<std::uint32_t>(payload.size())};
    const auto message = wire::decode_payload(header, payload);
    if (message.ok()) {
      expect_good(*message);
    } else {
      EXPECT_EQ(message.error().code(), Code::protocol);
    }
  }
}

// Refuses every good Hello of the fuzzer, so that the server goes on waiting.
Result<wire::Plan> agree_with_the_real_one(const wire::Hello& hello) {
  if (hello.transport != "the real one")
    return Error(Code::invalid_argument, "not the one this server waits for");
  return test::good_plan();
}

void send_in_pieces(RawPeer& peer, const Bytes& bytes, Handshakes& random) {
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t piece = random.below(3) == 0 ? 1 + random.below(40) : bytes.size();
    const std::size_t count = std::min(piece, bytes.size() - at);
    if (!peer.send(std::span(bytes).subspan(at, count))) return;
    at += count;
  }
}

void end(RawPeer& peer, Handshakes& random) {
  switch (random.below(4)) {
    case 0:
      return peer.reset();
    case 1:
      return peer.close();
    default:
      ::shutdown(peer.fd(), SHUT_WR);
      EXPECT_TRUE(peer.closed_by_peer());
      peer.close();
  }
}

// How many the lines stand for.
int told_of(const std::vector<std::string>& lines) {
  static const std::regex kCount(R"(\(said (\d+) (?:more )?times|^(\d+) other lines left out)");
  int sum = 0;
  for (const std::string& line : lines) {
    std::smatch match;
    const bool counts = std::regex_search(line, match, kCount);
    sum += counts ? std::stoi(match[1].matched ? match[1] : match[2]) : 1;
  }
  return sum;
}

TEST(BootstrapFuzz, LiveServerSurvivesThemAndStillServesItsClient) {
  const int descriptors_before = test::open_descriptors();
  {
    test::CapturedLog log;
    Handshakes handshakes(seed_of_this_run());
    auto listening = test::listen_somewhere("127.0.0.1", 0, 4);
    test::Accepting accepting(*listening.server, agree_with_the_real_one, 300s);
    for (int i = 0; i < kOverSockets; ++i) {
      auto peer = RawPeer::connect("127.0.0.1", listening.port_base + i % 4);
      ASSERT_GE(peer.fd(), 0);
      send_in_pieces(peer, handshakes.next(), handshakes);
      end(peer, handshakes);
    }
    auto hello = test::good_hello();
    hello.transport = "the real one";
    auto client =
        rendezvous_connect("127.0.0.1", listening.port_base, 0, hello, Deadline::after(60s));
    EXPECT_TRUE(client.ok()) << client.error().message();
    auto& server = accepting.result();
    ASSERT_TRUE(server.ok()) << server.error().message();
    EXPECT_EQ(server->hello.transport, "the real one");
    const auto lines = log.lines();
    EXPECT_EQ(log.count("refused 127.0.0.1:") + log.count("other lines left out"),
              static_cast<int>(lines.size()));
    // Each is told of, or counted; a reset may take a connection away before the server has
    // accepted it.
    EXPECT_LE(told_of(lines), kOverSockets);
    EXPECT_GE(told_of(lines), kOverSockets / 2);
    EXPECT_LE(lines.size(), 10 * LogLimiter::kMaxLines) << "not a line for each";
    for (const auto& line : lines) EXPECT_EQ(printable(line), line);
  }
  EXPECT_EQ(test::open_descriptors(), descriptors_before);
}

}  // namespace
}  // namespace hawser
