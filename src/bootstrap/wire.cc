#include "bootstrap/wire.h"

#include <fmt/core.h>

#include "base/codec.h"
#include "control/stranger.h"

namespace hawser::wire {
namespace {

using codec::Of;

constexpr const char* kNames[] = {
    "Hello",     "Plan",     "Refuse",   "HandleOffer", "ChannelStatus", "Barrier", "Heartbeat",
    "PerfSetup", "PerfHost", "PerfBare", "PerfStep",    "PerfResult",    "PassDone"};
constexpr std::size_t kTypes = std::size(kNames);
static_assert(kTypes == std::variant_size_v<Message>);

constexpr std::uint16_t kRefuseType = 3;
static_assert(std::is_same_v<std::variant_alternative_t<kRefuseType - 1, Message>, Refuse>);

// A Code is sent as its place among the codes.
constexpr std::uint8_t kLastKind = 9;
static_assert(static_cast<int>(Code::internal) == kLastKind);

Error bad(std::string message) {
  return Error(Code::protocol, std::move(message));
}

// In front of every payload.
struct FrameHeader {
  std::uint32_t magic = kMagic;
  std::uint16_t version = kVersion;
  Header header;
  std::uint32_t reserved = 0;
};

constexpr void fields(auto& io, Of<FrameHeader> auto& frame) {
  io.number("magic", frame.magic);
  io.number("version", frame.version);
  io.number("type", frame.header.type);
  io.number("payload_bytes", frame.header.payload_bytes);
  io.number("reserved", frame.reserved);
}
static_assert(HAWSER_CODEC_BYTES(FrameHeader) == kHeaderBytes);

// Why something is not ok; nothing where it is.
void reason_unless(bool ok, auto& io, auto& reason) {
  if constexpr (std::remove_reference_t<decltype(io)>::kDecodes)
    io.text("reason", reason, kMaxTextBytes);
  else
    io.text("reason", ok ? std::string_view() : std::string_view(reason), kMaxTextBytes);
}

void fields(auto& io, Of<Hello> auto& hello) {
  io.number("gpu", hello.gpu, 0, kMaxGpus - 1);
  io.number("target_gpu", hello.target_gpu, 0, kMaxGpus - 1);
  io.number("channels", hello.channels, 0, kMaxChannels);
  io.number("memory", hello.memory, 1, 2);
  io.number("purpose", hello.purpose, Purpose::validation, Purpose::performance);
  io.template zeros<2>();
  io.number("bytes", hello.bytes, 0, kMaxTransferBytes);
  io.number("max_request_bytes", hello.max_request_bytes, 1, UINT64_MAX);
  io.text("transport", hello.transport, kMaxTextBytes, 1);
}

void fields(auto& io, Of<Plan> auto& plan) {
  io.number("gpu", plan.gpu, 0, kMaxGpus - 1);
  io.number("channels", plan.channels, 1, kMaxChannels);
  io.number("iterations", plan.iterations, 1, UINT32_MAX);
  io.number("timeout_ms", plan.timeout_ms, 1, UINT32_MAX);
  io.number("bytes", plan.bytes, 1, kMaxTransferBytes);
  io.number("chunk_bytes", plan.chunk_bytes, 1, kMaxTransferBytes);
  io.number("seed", plan.seed);
  io.flag("serialize_create", plan.serialize_create);
  io.template zeros<7>();
  io.text("transport", plan.transport, kMaxTextBytes, 1);
}

void fields(auto& io, Of<Refuse> auto& refuse) {
  io.text("reason", refuse.reason, kMaxTextBytes);
}

void fields(auto& io, Of<HandleOffer> auto& offer) {
  io.number("pass", offer.pass);
  io.number("channel", offer.channel, 0, kMaxChannels - 1);
  io.array("handle", offer.handle);
}

void fields(auto& io, Of<ChannelStatus> auto& status) {
  io.number("pass", status.pass);
  io.number("channel", status.channel, 0, kMaxChannels - 1);
  io.number("stage", status.stage, Stage::created, Stage::closed);
  io.flag("ok", status.ok);
  if (status.ok) {
    io.template zeros<2>();
  } else {
    io.number("operation", status.operation, Operation::listen, Operation::stuck);
    auto kind = static_cast<std::uint8_t>(status.kind);
    io.number("kind", kind, 0, kLastKind);
    if constexpr (std::remove_reference_t<decltype(io)>::kDecodes)
      status.kind = static_cast<Code>(kind);
  }
  reason_unless(status.ok, io, status.reason);
}

void fields(auto& io, Of<PassDone> auto& done) {
  io.number("pass", done.pass);
  io.flag("created", done.created);
  io.flag("can_go_on", done.can_go_on);
  io.template zeros<2>();
}

void fields(auto& io, Of<Barrier> auto& barrier) {
  io.number("id", barrier.id);
}

void fields(auto&, Of<Heartbeat> auto&) {}

void fields(auto& io, Of<PerfSetup> auto& setup) {
  io.number("window", setup.window, 1, kMaxWindow);
  io.number("bare_sockets", setup.bare_sockets, 0, kMaxBareSockets);
  io.number("ring_bytes", setup.ring_bytes, 1, kMaxTransferBytes);
  io.number("idle", setup.idle, 1, 3);
  io.template zeros<7>();
}

void fields(auto& io, Of<PerfHost> auto& host) {
  io.text("text", host.text, kMaxTextBytes);
}

void fields(auto& io, Of<PerfBare> auto& bare) {
  io.number("nonce", bare.nonce);
  io.number("port", bare.port, 1, UINT16_MAX);
  io.template zeros<6>();
  io.text("address", bare.address, kMaxTextBytes, 1);
}

void fields(auto& io, Of<PerfStep> auto& step) {
  io.number("id", step.id, 1, UINT32_MAX);
  io.number("kind", step.kind, PerfKind::stream, PerfKind::end);
  io.flag("bidirectional", step.bidirectional);
  io.template zeros<2>();
  io.number("bytes", step.bytes, 1, kMaxTransferBytes);
  io.number("warmup", step.warmup, 0, kMaxPerfMessages);
  io.number("messages", step.messages, 1, kMaxPerfMessages);
}

void fields(auto& io, Of<PerfResult> auto& result) {
  io.number("id", result.id, 1, UINT32_MAX);
  io.flag("ok", result.ok);
  io.template zeros<3>();
  io.number("elapsed_ns", result.elapsed_ns);
  io.number("cpu_ns", result.cpu_ns);
  reason_unless(result.ok, io, result.reason);
}

// What is wrong although each field is right.
void check(codec::Decoder&, const auto&) {}
void check(codec::Decoder& in, const ChannelStatus& status) {
  if (status.ok && !status.reason.empty()) in.fail("that is ok and gives a reason why not");
}
void check(codec::Decoder& in, const PerfResult& result) {
  if (result.ok && !result.reason.empty()) in.fail("that is ok and gives a reason why not");
}

Result<std::size_t> frame_length(std::span<const std::byte> header) {
  HAWSER_ASSIGN(const Header read, decode_header(header.first<kHeaderBytes>()));
  return kHeaderBytes + read.payload_bytes;
}

std::vector<std::byte> refusal(std::string_view reason) {
  return encode(Refuse{std::string(reason)});
}

}  // namespace

const control::Protocol& protocol() {
  static constexpr control::Protocol kProtocol{kMagic, kHeaderBytes, &frame_length, &refusal};
  return kProtocol;
}

const char* message_name(const Message& message) {
  return kNames[message.index()];
}

std::vector<std::byte> encode(const Message& message) {
  return std::visit(
      [&](const auto& it) {
        codec::Sizer payload;
        fields(payload, it);
        FrameHeader frame;
        frame.header.type = static_cast<std::uint16_t>(message.index() + 1);
        frame.header.payload_bytes = static_cast<std::uint32_t>(payload.bytes());
        std::vector<std::byte> bytes(kHeaderBytes + payload.bytes());
        codec::Encoder out(bytes.data());
        fields(out, std::as_const(frame));
        fields(out, it);
        return bytes;
      },
      message);
}

Result<Header> decode_header(std::span<const std::byte, kHeaderBytes> bytes) {
  FrameHeader frame;
  codec::Decoder in("header", bytes);
  fields(in, frame);
  if (frame.magic != kMagic) return bad(control::describe_stranger(bytes));
  const auto [type, payload_bytes] = frame.header;
  if (frame.version != kVersion && type != kRefuseType)
    return bad(fmt::format("protocol version {}, this side speaks {}", frame.version, kVersion));
  if (type < 1 || type > kTypes) return bad(fmt::format("a message of unknown type {}", type));
  if (payload_bytes > kMaxPayloadBytes)
    return bad(fmt::format("a {} of {} bytes, at most {}", kNames[type - 1], payload_bytes,
                           kMaxPayloadBytes));
  if (frame.reserved != 0)
    return bad(fmt::format("a {} whose reserved header field is not zero", kNames[type - 1]));
  return frame.header;
}

Result<Message> decode_payload(const Header& header, std::span<const std::byte> payload) {
  if (header.type < 1 || header.type > kTypes)
    return bad(fmt::format("a message of unknown type {}", header.type));
  if (payload.size() != header.payload_bytes)
    return bad(fmt::format("{} bytes where the header announced {}", payload.size(),
                           header.payload_bytes));
  codec::Decoder in(kNames[header.type - 1], payload, 0, codec::WildText::replace);
  Message message;
  codec::read_alternative(message, header.type - 1u, [&in](auto& it) {
    fields(in, it);
    check(in, it);
  });
  if (const auto& error = in.finish()) return *error;
  return message;
}

Result<Message> decode_frame(std::span<const std::byte> frame) {
  HAWSER_ASSIGN(const Header header, decode_header(frame.first<kHeaderBytes>()));
  return decode_payload(header, frame.subspan(kHeaderBytes));
}

}  // namespace hawser::wire
