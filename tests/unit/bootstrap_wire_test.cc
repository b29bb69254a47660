#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/endian.h"
#include "base/text.h"
#include "bootstrap/wire.h"
#include "control/stranger.h"
#include "support/bootstrap_fixture.h"
#include "support/wire_layout.h"

namespace hawser::wire {
namespace {

using test::good_hello;
using test::good_plan;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Bytes = std::vector<std::byte>;

std::string hex(std::span<const std::byte> bytes) {
  std::string out;
  for (const std::byte byte : bytes) out += fmt::format("{:02x}", std::to_integer<int>(byte));
  return out;
}

Bytes payload_of(const Message& message) {
  const Bytes frame = encode(message);
  return {frame.begin() + kHeaderBytes, frame.end()};
}

Result<std::optional<Message>> decode(const Bytes& frame) {
  test::WireDecoder decoder;
  decoder.feed(frame);
  return decoder.next();
}

template <class T>
T round_trip(const T& message) {
  auto decoded = decode(encode(message));
  EXPECT_TRUE(decoded.ok()) << decoded.error().message();
  if (!decoded.ok() || !decoded->has_value()) return T{};
  EXPECT_TRUE(std::holds_alternative<T>(**decoded));
  return std::get<T>(**decoded);
}

PerfSetup good_setup() {
  return {16, 1, 1 << 20, 1};
}

PerfStep good_step() {
  return {1, PerfKind::stream, false, 4096, 10, 100};
}

std::string error_of(const Bytes& frame) {
  const auto decoded = decode(frame);
  if (decoded.ok()) return "";
  EXPECT_EQ(decoded.error().code(), Code::protocol);
  return decoded.error().message();
}

// A frame of `message` with the bytes at `offset` of its payload replaced.
template <class T>
Bytes altered(const Message& message, layout::Field<T> field, T value) {
  Bytes frame = encode(message);
  store_le(frame.data() + kHeaderBytes + field.offset, value);
  return frame;
}

Bytes with_header(const Message& message, std::size_t offset, std::uint8_t value) {
  Bytes frame = encode(message);
  frame[offset] = std::byte{value};
  return frame;
}

Bytes with_payload_length(Message message, int change) {
  Bytes frame = encode(message);
  frame.resize(static_cast<std::size_t>(static_cast<std::ptrdiff_t>(frame.size()) + change));
  store_le(frame.data() + layout::header::kPayloadBytes.offset,
           static_cast<std::uint32_t>(frame.size() - kHeaderBytes));
  return frame;
}

// The bytes of the specification, written down by hand: they must never change.
TEST(WireBytes, HelloIsAsSpecified) {
  Hello hello;
  hello.gpu = 0x0102;
  hello.target_gpu = 0x0304;
  hello.channels = 0x0105;
  hello.memory = 2;
  hello.bytes = 0x060708090a;
  hello.max_request_bytes = 0x1112131415161718;
  hello.transport = "TCP";
  EXPECT_EQ(hex(encode(hello)),
            "48575352"
            "0200"
            "0100"
            "25000000"
            "00000000"
            "02010000"
            "04030000"
            "05010000"
            "02"
            "01"
            "0000"
            "0a09080706000000"
            "1817161514131211"
            "0300"
            "544350");
}

TEST(WireBytes, PlanIsAsSpecified) {
  Plan plan;
  plan.gpu = 1;
  plan.channels = 2;
  plan.iterations = 3;
  plan.timeout_ms = 4;
  plan.bytes = 5;
  plan.chunk_bytes = 6;
  plan.seed = 0x8877665544332211;
  plan.serialize_create = true;
  plan.transport = "x";
  EXPECT_EQ(hex(encode(plan)),
            "48575352"
            "0200"
            "0200"
            "33000000"
            "00000000"
            "01000000"
            "02000000"
            "03000000"
            "04000000"
            "0500000000000000"
            "0600000000000000"
            "1122334455667788"
            "01"
            "00000000000000"
            "0100"
            "78");
}

TEST(WireBytes, SmallMessagesAreAsSpecified) {
  EXPECT_EQ(hex(encode(Refuse{"no"})),
            "48575352"
            "0200"
            "0300"
            "04000000"
            "00000000"
            "0200"
            "6e6f");
  EXPECT_EQ(hex(encode(ChannelStatus{1, 2, Stage::transferred, false, "x", Operation::verify,
                                     Code::data})),
            "48575352"
            "0200"
            "0500"
            "0f000000"
            "00000000"
            "01000000"
            "02000000"
            "02"
            "00"
            "06"
            "05"
            "0100"
            "78");
  EXPECT_EQ(hex(encode(Barrier{7})),
            "48575352"
            "0200"
            "0600"
            "04000000"
            "00000000"
            "07000000");
  EXPECT_EQ(hex(encode(PassDone{2, true, false})),
            "48575352"
            "0200"
            "0d00"
            "08000000"
            "00000000"
            "02000000"
            "01"
            "00"
            "0000");
  EXPECT_EQ(hex(encode(Heartbeat{})),
            "48575352"
            "0200"
            "0700"
            "00000000"
            "00000000");
}

TEST(WireBytes, MeasurementMessagesAreAsSpecified) {
  EXPECT_EQ(hex(encode(PerfSetup{1, 2, 0x0304, 3})),
            "48575352"
            "0200"
            "0800"
            "18000000"
            "00000000"
            "01000000"
            "02000000"
            "0403000000000000"
            "03"
            "00000000000000");
  EXPECT_EQ(hex(encode(PerfHost{"x"})),
            "48575352"
            "0200"
            "0900"
            "03000000"
            "00000000"
            "0100"
            "78");
  EXPECT_EQ(hex(encode(PerfBare{0x0807060504030201, 0x0102, "x"})),
            "48575352"
            "0200"
            "0a00"
            "13000000"
            "00000000"
            "0102030405060708"
            "0201"
            "000000000000"
            "0100"
            "78");
  EXPECT_EQ(hex(encode(PerfStep{1, PerfKind::ping_pong, true, 2, 3, 4})),
            "48575352"
            "0200"
            "0b00"
            "20000000"
            "00000000"
            "01000000"
            "02"
            "01"
            "0000"
            "0200000000000000"
            "0300000000000000"
            "0400000000000000");
  EXPECT_EQ(hex(encode(PerfResult{1, false, 2, 3, "no"})),
            "48575352"
            "0200"
            "0c00"
            "1c000000"
            "00000000"
            "01000000"
            "00"
            "000000"
            "0200000000000000"
            "0300000000000000"
            "0200"
            "6e6f");
}

TEST(WireBytes, HandleOfferIsAsSpecified) {
  HandleOffer offer{1, 3, {}};
  offer.handle.fill(std::byte{0xab});
  std::string handle;
  for (std::size_t i = 0; i < kHandleBytes; ++i) handle += "ab";
  EXPECT_EQ(hex(encode(offer)),
            "48575352"
            "0200"
            "0400"
            "88000000"
            "00000000"
            "01000000"
            "03000000" +
                handle);
}

TEST(WireRoundTrip, KeepsEveryField) {
  Hello hello = good_hello();
  hello.gpu = 7;
  hello.target_gpu = 3;
  hello.channels = 1024;
  hello.bytes = kMaxTransferBytes;
  const Hello same_hello = round_trip(hello);
  EXPECT_EQ(std::tie(hello.gpu, hello.target_gpu, hello.channels, hello.bytes),
            std::tie(same_hello.gpu, same_hello.target_gpu, same_hello.channels, same_hello.bytes));
  EXPECT_EQ(std::tie(hello.max_request_bytes, hello.memory, hello.transport),
            std::tie(same_hello.max_request_bytes, same_hello.memory, same_hello.transport));

  Plan plan = good_plan();
  plan.serialize_create = true;
  const Plan same_plan = round_trip(plan);
  EXPECT_EQ(std::tie(plan.gpu, plan.channels, plan.iterations, plan.timeout_ms, plan.bytes),
            std::tie(same_plan.gpu, same_plan.channels, same_plan.iterations, same_plan.timeout_ms,
                     same_plan.bytes));
  EXPECT_EQ(std::tie(plan.chunk_bytes, plan.seed, plan.serialize_create, plan.transport),
            std::tie(same_plan.chunk_bytes, same_plan.seed, same_plan.serialize_create,
                     same_plan.transport));
}

TEST(WireRoundTrip, KeepsTheSmallMessages) {
  EXPECT_EQ(round_trip(Refuse{"héllo"}).reason, "héllo");
  EXPECT_EQ(round_trip(Refuse{}).reason, "");
  EXPECT_EQ(round_trip(Barrier{4294967295}).id, 4294967295);
  round_trip(Heartbeat{});
  const auto status = round_trip(
      ChannelStatus{1, 1023, Stage::closed, false, "why", Operation::stuck, Code::internal});
  EXPECT_EQ(status.channel, 1023u);
  EXPECT_EQ(status.stage, Stage::closed);
  EXPECT_FALSE(status.ok);
  EXPECT_EQ(status.reason, "why");
  EXPECT_EQ(status.operation, Operation::stuck);
  EXPECT_EQ(status.kind, Code::internal);
  const auto done = round_trip(PassDone{2, false, true});
  EXPECT_EQ(done.pass, 2u);
  EXPECT_FALSE(done.created);
  EXPECT_TRUE(done.can_go_on);
  EXPECT_EQ(round_trip(ChannelStatus{0, 0, Stage::created, true, "not sent"}).reason, "");
}

TEST(WireRoundTrip, KeepsTheMessagesOfAMeasurement) {
  const auto setup = round_trip(PerfSetup{kMaxWindow, kMaxBareSockets, kMaxTransferBytes, 3});
  EXPECT_EQ(std::tie(setup.window, setup.bare_sockets), std::tie(kMaxWindow, kMaxBareSockets));
  EXPECT_EQ(setup.ring_bytes, kMaxTransferBytes);
  EXPECT_EQ(setup.idle, 3);
  EXPECT_EQ(round_trip(PerfHost{"Linux 6.1"}).text, "Linux 6.1");
  const auto bare = round_trip(PerfBare{7, 65535, "fd00::2"});
  EXPECT_EQ(bare.nonce, 7u);
  EXPECT_EQ(bare.port, 65535);
  EXPECT_EQ(bare.address, "fd00::2");
  const auto step = round_trip(PerfStep{9, PerfKind::end, true, 8, 7, 6});
  EXPECT_EQ(step.id, 9u);
  EXPECT_EQ(step.kind, PerfKind::end);
  EXPECT_TRUE(step.bidirectional);
  EXPECT_EQ(step.bytes * 100 + step.warmup * 10 + step.messages, 876u);
  const auto result = round_trip(PerfResult{3, false, 4, 5, "why"});
  EXPECT_EQ(result.elapsed_ns * 10 + result.cpu_ns, 45u);
  EXPECT_EQ(result.reason, "why");
  EXPECT_EQ(round_trip(PerfResult{3, true, 4, 5, "not sent"}).reason, "");
}

TEST(WireHeader, IsCheckedFieldByField) {
  const Message beat = Heartbeat{};
  EXPECT_THAT(error_of(with_header(beat, 0, 'X')), HasSubstr("not hawser"));
  EXPECT_EQ(error_of(with_header(beat, 4, 9)), "protocol version 9, this side speaks 2");
  EXPECT_EQ(error_of(with_header(beat, 6, 0)), "a message of unknown type 0");
  EXPECT_EQ(error_of(with_header(beat, 6, 14)), "a message of unknown type 14");
  EXPECT_EQ(error_of(with_header(beat, 9, 0x11)), "a Heartbeat of 4352 bytes, at most 4096");
  EXPECT_EQ(error_of(with_header(beat, 11, 0x80)), "a Heartbeat of 2147483648 bytes, at most 4096");
  EXPECT_EQ(error_of(with_header(beat, 12, 1)),
            "a Heartbeat whose reserved header field is not zero");
}

TEST(WireHeader, RefuseIsUnderstoodInAnyVersion) {
  const auto decoded = decode(with_header(Refuse{"this side speaks 3"}, 4, 3));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(std::get<Refuse>(**decoded).reason, "this side speaks 3");
}

TEST(WirePayload, NeitherShorterNorLongerThanItsFields) {
  for (const Message& message :
       {Message(good_hello()), Message(good_plan()), Message(Refuse{"x"}), Message(HandleOffer{}),
        Message(ChannelStatus{}), Message(PassDone{}), Message(Barrier{}), Message(Heartbeat{}),
        Message(good_setup()), Message(PerfHost{"text"}), Message(PerfBare{1, 2, "::1"}),
        Message(good_step()), Message(PerfResult{1, true, 2, 3, ""})}) {
    const auto name = message_name(message);
    EXPECT_THAT(error_of(with_payload_length(message, 1)), HasSubstr("where its fields take"))
        << name;
    const auto bytes = static_cast<int>(payload_of(message).size());
    for (int less = 1; less <= bytes; ++less)
      EXPECT_NE(error_of(with_payload_length(message, -less)), "") << name << " less " << less;
  }
}

TEST(WirePayload, HelloFieldsAreChecked) {
  namespace at = layout::hello;
  const Message hello = good_hello();
  EXPECT_EQ(error_of(altered(hello, at::kGpu, 8192u)), "a Hello with gpu = 8192, want 0 to 8191");
  EXPECT_THAT(error_of(altered(hello, at::kTargetGpu, 8192u)), HasSubstr("target_gpu = 8192"));
  EXPECT_THAT(error_of(altered(hello, at::kChannels, 1025u)), HasSubstr("channels = 1025"));
  for (const std::uint8_t memory : {0, 3, 255})
    EXPECT_THAT(error_of(altered(hello, at::kMemory, memory)), HasSubstr("with memory ="));
  EXPECT_THAT(error_of(altered(hello, at::kBytes, kMaxTransferBytes + 1)), HasSubstr("bytes ="));
  EXPECT_THAT(error_of(altered(hello, at::kMaxRequestBytes, std::uint64_t{0})),
              HasSubstr("max_request_bytes = 0"));
  for (const std::uint8_t purpose : {0, 3, 255})
    EXPECT_THAT(error_of(altered(hello, at::kPurpose, purpose)), HasSubstr("with purpose ="));
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_EQ(error_of(altered(hello, layout::U8{at::kReserved.offset + i}, std::uint8_t{1})),
              "a Hello whose reserved bytes are not zero");
  Hello nameless = good_hello();
  nameless.transport.clear();
  EXPECT_EQ(error_of(encode(nameless)), "a Hello without a transport");
}

TEST(WirePayload, PlanFieldsAreChecked) {
  namespace at = layout::plan;
  const Message plan = good_plan();
  for (const auto field : {at::kChannels, at::kIterations, at::kTimeoutMs})
    EXPECT_THAT(error_of(altered(plan, field, 0u)), HasSubstr("= 0, want 1 to"));
  for (const auto field : {at::kBytes, at::kChunkBytes}) {
    EXPECT_THAT(error_of(altered(plan, field, std::uint64_t{0})), HasSubstr("= 0, want 1 to"));
    EXPECT_NE(error_of(altered(plan, field, kMaxTransferBytes + 1)), "");
  }
  EXPECT_NE(error_of(altered(plan, at::kGpu, 8192u)), "");
  EXPECT_NE(error_of(altered(plan, at::kChannels, 1025u)), "");
  EXPECT_THAT(error_of(altered(plan, at::kSerializeCreate, std::uint8_t{2})),
              HasSubstr("serialize_create = 2, want 0 to 1"));
  for (std::size_t i = 0; i < 7; ++i)
    EXPECT_NE(error_of(altered(plan, layout::U8{at::kReserved.offset + i}, std::uint8_t{1})), "");
}

TEST(WirePayload, ChannelFieldsAreChecked) {
  const Message status = ChannelStatus{0, 0, Stage::created, false, "why"};
  namespace at = layout::channel_status;
  EXPECT_NE(error_of(altered(status, at::kChannel, 1024u)), "");
  for (const std::uint8_t stage : {0, 4, 255})
    EXPECT_THAT(error_of(altered(status, at::kStage, stage)), HasSubstr("with stage ="));
  EXPECT_THAT(error_of(altered(status, at::kOk, std::uint8_t{2})), HasSubstr("ok = 2"));
  EXPECT_NE(error_of(altered(status, at::kOk, std::uint8_t{1})), "");
  for (const std::uint8_t operation : {0, 9, 255})
    EXPECT_THAT(error_of(altered(status, at::kOperation, operation)),
                HasSubstr(fmt::format("operation = {}, want 1 to 8", operation)));
  EXPECT_THAT(error_of(altered(status, at::kKind, std::uint8_t{10})),
              HasSubstr("kind = 10, want 0 to 9"));
  const Message good = ChannelStatus{0, 0, Stage::created, true, ""};
  EXPECT_NE(error_of(altered(good, at::kOperation, std::uint8_t{1})), "");
  EXPECT_NE(error_of(altered(good, at::kKind, std::uint8_t{1})), "");
  EXPECT_NE(error_of(altered(HandleOffer{}, layout::handle_offer::kChannel, 1024u)), "");
}

TEST(WirePayload, PassFieldsAreChecked) {
  namespace at = layout::pass_done;
  const Message done = PassDone{};
  EXPECT_THAT(error_of(altered(done, at::kCreated, std::uint8_t{2})), HasSubstr("created = 2"));
  EXPECT_THAT(error_of(altered(done, at::kCanGoOn, std::uint8_t{2})), HasSubstr("can_go_on = 2"));
  EXPECT_NE(error_of(altered(done, layout::U8{7}, std::uint8_t{1})), "");
}

TEST(WirePayload, MeasurementFieldsAreChecked) {
  {
    namespace at = layout::perf_setup;
    const Message setup = good_setup();
    EXPECT_THAT(error_of(altered(setup, at::kWindow, 0u)), HasSubstr("window = 0, want 1 to"));
    EXPECT_NE(error_of(altered(setup, at::kWindow, kMaxWindow + 1)), "");
    EXPECT_NE(error_of(altered(setup, at::kBareSockets, kMaxBareSockets + 1)), "");
    EXPECT_NE(error_of(altered(setup, at::kRingBytes, std::uint64_t{0})), "");
    EXPECT_NE(error_of(altered(setup, at::kRingBytes, kMaxTransferBytes + 1)), "");
    for (const std::uint8_t idle : {0, 4, 255})
      EXPECT_THAT(error_of(altered(setup, at::kIdle, idle)), HasSubstr("with idle ="));
    EXPECT_NE(error_of(altered(setup, layout::U8{23}, std::uint8_t{1})), "");
  }
  {
    namespace at = layout::perf_step;
    const Message step = good_step();
    EXPECT_NE(error_of(altered(step, at::kId, 0u)), "");
    for (const std::uint8_t kind : {0, 7, 255})
      EXPECT_THAT(error_of(altered(step, at::kKind, kind)), HasSubstr("with kind ="));
    EXPECT_NE(error_of(altered(step, at::kBidirectional, std::uint8_t{2})), "");
    EXPECT_NE(error_of(altered(step, at::kBytes, std::uint64_t{0})), "");
    EXPECT_NE(error_of(altered(step, at::kBytes, kMaxTransferBytes + 1)), "");
    EXPECT_NE(error_of(altered(step, at::kMessages, std::uint64_t{0})), "");
    EXPECT_NE(error_of(altered(step, at::kMessages, kMaxPerfMessages + 1)), "");
    EXPECT_NE(error_of(altered(step, at::kWarmup, kMaxPerfMessages + 1)), "");
  }
  const Message failed = PerfResult{1, false, 0, 0, "why"};
  EXPECT_THAT(error_of(altered(failed, layout::perf_result::kOk, std::uint8_t{1})),
              HasSubstr("gives a reason"));
  EXPECT_NE(error_of(altered(failed, layout::perf_result::kId, 0u)), "");
  EXPECT_NE(error_of(altered(failed, layout::U8{7}, std::uint8_t{1})), "");
  const Message bare = PerfBare{1, 2, "::1"};
  EXPECT_NE(error_of(altered(bare, layout::perf_bare::kPort, std::uint16_t{0})), "");
  EXPECT_NE(error_of(altered(bare, layout::U8{15}, std::uint8_t{1})), "");
  EXPECT_NE(error_of(encode(PerfBare{1, 2, ""})), "");
}

TEST(WireText, TooLongIsRefusedOnDecode) {
  Bytes frame = encode(Refuse{std::string(kMaxTextBytes, 'x')});
  EXPECT_EQ(error_of(frame), "");
  frame.push_back(std::byte{'x'});
  store_le(frame.data() + kHeaderBytes, static_cast<std::uint16_t>(kMaxTextBytes + 1));
  store_le(frame.data() + layout::header::kPayloadBytes.offset,
           static_cast<std::uint32_t>(frame.size() - kHeaderBytes));
  EXPECT_EQ(error_of(frame), "a Refuse with reason of 1025 bytes, at most 1024");
}

TEST(WireText, IsCutBetweenCharactersOnEncode) {
  EXPECT_EQ(round_trip(Refuse{std::string(5000, 'x')}).reason, std::string(1024, 'x'));
  const std::string umlauts = [] {
    std::string out = "x";  // so that byte 1024 falls into the middle of one
    for (int i = 0; i < 1000; ++i) out += "ü";
    return out;
  }();
  EXPECT_EQ(round_trip(Refuse{umlauts}).reason, umlauts.substr(0, 1023));
}

TEST(WireText, ArrivesPrintable) {
  EXPECT_EQ(round_trip(Refuse{"a\nb\tc\x1b[31m\x7f"}).reason, "a?b?c?[31m?");
  Bytes frame = encode(Refuse{"abcd"});
  frame[kHeaderBytes + 2] = std::byte{0x1b};
  frame[kHeaderBytes + 4] = std::byte{0xff};
  EXPECT_EQ(std::get<Refuse>(**decode(frame)).reason, "?b?d");
}

TEST(WireText, PrintableKeepsUtf8AndNothingElse) {
  EXPECT_EQ(printable("plain ~"), "plain ~");
  EXPECT_EQ(printable("é €\xF0\x9F\x98\x80"), "é €\xF0\x9F\x98\x80");
  EXPECT_EQ(printable(std::string("\0a", 2)), "?a");
  EXPECT_EQ(printable("\xC2\x85"), "??");  // a C1 control character
  EXPECT_EQ(printable("\xC0\xAF"), "??");  // '/' longer than it need be
  EXPECT_EQ(printable("\xE0\x80\xAF"), "???");
  EXPECT_EQ(printable("\xED\xA0\x80"), "???");       // a surrogate
  EXPECT_EQ(printable("\xF4\x90\x80\x80"), "????");  // beyond Unicode
  EXPECT_EQ(printable("\xF0\x80\x80\xAF"), "????");
  EXPECT_EQ(printable("\xE2\x82"), "??");  // cut off
  EXPECT_EQ(printable("\x80x"), "?x");
}

std::string stranger(std::string_view text) {
  return control::describe_stranger(std::as_bytes(std::span(text.data(), text.size())));
}

TEST(WireStranger, IsNamedWhereKnown) {
  EXPECT_EQ(stranger("GET / HTTP/1.1\r\n"), "an HTTP request, not hawser");
  EXPECT_EQ(stranger("HTTP/1.1 400 Bad Request\r\n"), "an HTTP server's answer, not hawser");
  EXPECT_EQ(stranger("\x16\x03\x01\x02"), "a TLS handshake, not hawser");
  EXPECT_EQ(stranger("SSH-2.0-OpenSSH_9.2\r\n"),
            "SSH, not hawser: 'SSH-2.0-OpenSSH_9.2?"
            "?'");
  EXPECT_EQ(stranger("\x01\x02oh"), "not hawser: '??oh'");
  EXPECT_THAT(stranger(std::string(4000, 'x')), StartsWith("not hawser: 'xxx"));
  EXPECT_LT(stranger(std::string(4000, 'x')).size(), 64u);
}

TEST(WireDecoder, TakesBytesInAnyPieces) {
  Bytes stream;
  for (std::uint32_t i = 0; i < 20; ++i) {
    const Message message = i % 3 == 0   ? Message(Barrier{i})
                            : i % 3 == 1 ? Message(HandleOffer{0, i, {}})
                                         : Message(Refuse{"no"});
    const Bytes frame = encode(message);
    stream.insert(stream.end(), frame.begin(), frame.end());
  }
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{7}, std::size_t{100}, stream.size()}) {
    test::WireDecoder decoder;
    std::size_t messages = 0;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      decoder.feed(std::span(stream).subspan(at, std::min(piece, stream.size() - at)));
      for (auto next = decoder.next(); next.ok() && next->has_value(); next = decoder.next())
        ++messages;
    }
    EXPECT_EQ(messages, 20u) << "in pieces of " << piece;
    EXPECT_TRUE(decoder.pending().empty());
  }
}

TEST(WireDecoder, FindsAStrangerByTheFourthByte) {
  test::WireDecoder decoder;
  const std::string text = "GET ";
  for (std::size_t i = 0; i < 3; ++i) {
    decoder.feed(std::as_bytes(std::span(&text[i], 1)));
    EXPECT_TRUE(decoder.next().ok());
  }
  decoder.feed(std::as_bytes(std::span(&text[3], 1)));
  EXPECT_FALSE(decoder.next().ok());
  EXPECT_FALSE(decoder.next().ok()) << "the error stays";
}

TEST(WireDecoder, FindsABadLengthBeforeThePayload) {
  Bytes frame = with_header(Refuse{"x"}, 10, 1);
  frame.resize(kHeaderBytes);
  EXPECT_THAT(error_of(frame), HasSubstr("at most 4096"));
}

}  // namespace
}  // namespace hawser::wire
