#include "engine/wire.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/codec.h"
#include "control/stranger.h"

namespace hawser::engine::wire {
namespace {

using codec::Of;
using codec::Sizer;

constexpr const char* kNames[] = {
    "Ack",          "WriteChunk", "ReplyChunk", "Begin",    "ReadRequest", "Send", "Ready",
    "Finished",     "Fault",      "Stop",       "Withdraw", "Notify",      "Ping", "ChannelDown",
    "ChannelOffer", "Close",      "Hello",      "Welcome",  "Refuse",      "Up",   "Heartbeat",
    "Order",        "Drain",      "Drained",    "Last",     "Left",        "Room"};
static_assert(std::size(kNames) == std::variant_size_v<Record>);

// Understood in any version: its place and its form never change.
constexpr std::uint16_t kRefuseType = 19;
static_assert(std::is_same_v<std::variant_alternative_t<kRefuseType - 1, Record>, Refuse>);

constexpr std::size_t kRecordHeaderBytes = 8;

// The flags of a WriteChunk, a ReplyChunk, a Send and a ChannelOffer.
constexpr std::uint16_t kTracked = 1;
constexpr std::uint16_t kWriteInline = 2;
constexpr std::uint16_t kReplyInline = 1;
constexpr std::uint16_t kEager = 1;
constexpr std::uint16_t kSends = 1;

// A Code is sent as its place among the codes, counted from 1.
constexpr std::uint16_t kCodes = 10;
static_assert(static_cast<int>(Code::invalid_argument) == 0 &&
              static_cast<int>(Code::unavailable) == 1 && static_cast<int>(Code::timeout) == 2 &&
              static_cast<int>(Code::peer) == 3 && static_cast<int>(Code::protocol) == 4 &&
              static_cast<int>(Code::data) == 5 && static_cast<int>(Code::plugin) == 6 &&
              static_cast<int>(Code::system) == 7 && static_cast<int>(Code::cancelled) == 8 &&
              static_cast<int>(Code::internal) == kCodes - 1);

Error bad(std::string message) {
  return Error(Code::protocol, std::move(message));
}

template <class IO>
constexpr bool kDecodes = std::remove_reference_t<IO>::kDecodes;

struct FrameHeader {
  std::uint32_t magic = kMagic;
  std::uint16_t version = kVersion;
  std::uint16_t records = 0;
  std::uint32_t length = 0;
  std::uint32_t reserved = 0;
};

constexpr void fields(auto& io, Of<FrameHeader> auto& frame) {
  io.number("magic", frame.magic);
  io.number("version", frame.version);
  io.number("records", frame.records);
  io.number("length", frame.length);
  io.number("reserved", frame.reserved);
}
static_assert(HAWSER_CODEC_BYTES(FrameHeader) == kFrameHeaderBytes);

struct RecordHeader {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t length = 0;  // of what follows
};

constexpr void fields(auto& io, Of<RecordHeader> auto& header) {
  io.number("type", header.type);
  io.number("flags", header.flags);
  io.number("length", header.length);
}
static_assert(HAWSER_CODEC_BYTES(RecordHeader) == kRecordHeaderBytes);

constexpr void fields(auto& io, Of<Piece> auto& piece) {
  io.number("offset", piece.offset);
  io.number("bytes", piece.bytes);
}
static_assert(HAWSER_CODEC_BYTES(Piece) == Pieces::kEncodedBytes);

// What stands at the beginning of `bytes`, where there are enough.
template <class Header>
Header load(std::span<const std::byte> bytes) {
  Header header;
  codec::Decoder in("header", bytes);
  fields(in, header);
  return header;
}

// Each piece is of some bytes, and ends within 64 bits.
void check_pieces(codec::Decoder& in, const Pieces& pieces) {
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Piece piece = pieces[i];
    if (piece.bytes == 0) return in.fail(fmt::format("whose pieces[{}] is of 0 bytes", i));
    if (piece.offset > std::numeric_limits<std::uint64_t>::max() - piece.bytes)
      return in.fail(fmt::format("whose pieces[{}] ends beyond 64 bits", i));
  }
}

// The pieces of a WriteChunk or of a ReadRequest; they are viewed, not copied.
void pieces_of(auto& io, auto& record) {
  auto count = static_cast<codec::Count>(record.pieces.size());
  io.number("pieces", count, 1, kMaxPieces);
  if constexpr (kDecodes<decltype(io)>) {
    std::span<const std::byte> encoded;
    io.view("pieces", encoded, count * Pieces::kEncodedBytes, kMaxPieces * Pieces::kEncodedBytes);
    record.decoded = Pieces(encoded);
    check_pieces(io, record.decoded);
  } else {
    for (const Piece& piece : record.pieces) fields(io, piece);
  }
}

// A chunk's data, where it is in the record.
void inline_data(auto& io, std::uint16_t mask, auto& chunk) {
  bool here = !chunk.data.empty();
  io.bit(mask, here);
  if (here) io.view("data", chunk.data, chunk.bytes, kMaxInlineBytes);
}

void fields(auto& io, Of<Ack> auto& ack) {
  io.number("frames", ack.frames);
  io.number("chunks", ack.chunks);
}

void fields(auto& io, Of<WriteChunk> auto& chunk) {
  io.bit(kTracked, chunk.tracked);
  io.number("sender_op", chunk.sender_op);
  io.array("key", chunk.key);
  io.number("bytes", chunk.bytes, 1, kMaxChunkBytes);
  pieces_of(io, chunk);
  inline_data(io, kWriteInline, chunk);
}

void fields(auto& io, Of<ReplyChunk> auto& chunk) {
  io.number("op", chunk.op);
  io.number("offset", chunk.offset);
  io.number("bytes", chunk.bytes, 1, kMaxChunkBytes);
  inline_data(io, kReplyInline, chunk);
}

void fields(auto& io, Of<Begin> auto& begin) {
  io.number("sender_op", begin.sender_op);
  io.number("total", begin.total);
  io.rest("notification", begin.notification, kMaxNotification);
}

void fields(auto& io, Of<ReadRequest> auto& request) {
  io.number("sender_op", request.sender_op);
  io.array("key", request.key);
  pieces_of(io, request);
}

void fields(auto& io, Of<Send> auto& send) {
  io.bit(kEager, send.eager);
  io.number("sender_op", send.sender_op);
  io.number("tag", send.tag);
  // An empty message has nothing to come later: it is always eager.
  io.number("total", send.total, send.eager ? 0 : 1,
            send.eager ? kMaxInlineBytes : std::numeric_limits<std::uint64_t>::max());
  if (send.eager) io.view("data", send.data, send.total, kMaxInlineBytes);
}

void fields(auto& io, Of<Ready> auto& ready) {
  io.number("op", ready.op);
  io.number("sender_op", ready.sender_op);
}

void fields(auto& io, Of<Finished> auto& finished) {
  io.number("op", finished.op);
}

void fields(auto& io, Of<Fault> auto& fault) {
  io.number("op", fault.op);
  auto code = static_cast<std::uint16_t>(static_cast<int>(fault.code) + 1);
  io.number("code", code, 1, kCodes);
  if constexpr (kDecodes<decltype(io)>) fault.code = static_cast<Code>(code - 1);
  io.text("text", fault.text, kMaxText);
}

void fields(auto& io, Of<Stop> auto& stop) {
  io.number("sender_op", stop.sender_op);
}

void fields(auto& io, Of<Withdraw> auto& withdraw) {
  io.number("sender_op", withdraw.sender_op);
}

void fields(auto& io, Of<Notify> auto& notify) {
  io.rest("text", notify.text, kMaxNotification);
}

void fields(auto&, Of<Ping> auto&) {}

void channel_of(auto& io, auto& record) {
  io.number("channel", record.channel, 0, kMaxChannels - 1);
  io.number("generation", record.generation);
}

void fields(auto& io, Of<ChannelDown> auto& down) {
  channel_of(io, down);
  io.number("frames", down.frames);
  io.number("chunks", down.chunks);
  io.text("reason", down.reason, kMaxText);
}

void fields(auto& io, Of<ChannelOffer> auto& offer) {
  io.bit(kSends, offer.sends);
  channel_of(io, offer);
  io.array("handle", offer.handle);
  io.number("client_device", offer.client_device, 0, kMaxDevices - 1);
  io.number("server_device", offer.server_device, 0, kMaxDevices - 1);
  io.number("client_endpoint", offer.client_endpoint, 0, kMaxEndpoints - 1);
  io.number("server_endpoint", offer.server_endpoint, 0, kMaxEndpoints - 1);
}

void fields(auto& io, Of<Close> auto& close) {
  io.text("reason", close.reason, kMaxText);
}

void fields(auto& io, Of<Device> auto& device) {
  io.number("device's speed", device.speed_mbps);
  io.text("device's name", device.name, kMaxNameBytes);
}

void fields(auto& io, Of<Room> auto& room) {
  io.number("messages", room.messages);
  io.number("reads", room.reads);
  io.number("notifications", room.notifications);
}

// Behind all that version 1 had.
void endpoints_of(auto& io, auto& devices) {
  for (auto& device : devices) {
    io.list("device's endpoints", device.endpoints, 0, kMaxEndpoints);
    for (auto& endpoint : device.endpoints) {
      io.number("endpoint's family", endpoint.family, 4, 6);
      io.number("endpoint's prefix", endpoint.prefix_bits, 0, 128);
      io.number("endpoint's port", endpoint.port);
      io.array("endpoint's address", endpoint.address);
    }
  }
}

void fields(auto& io, Of<Hello> auto& hello) {
  io.array("engine", hello.engine);
  io.number("chunk_bytes", hello.chunk_bytes, 1, kMaxChunkBytes);
  io.number("channels_per_device", hello.channels_per_device, 0, kMaxChannels);
  io.list("devices", hello.devices, 1, kMaxDevices);
  io.text("host", hello.host, kMaxText);
  io.text("transport", hello.transport, kMaxText, 1);
  for (auto& device : hello.devices) fields(io, device);
  io.array("network", hello.network);
  endpoints_of(io, hello.devices);
  fields(io, hello.room);
}

void fields(auto& io, Of<Welcome> auto& welcome) {
  io.array("engine", welcome.engine);
  io.array("link", welcome.link);
  io.number("chunk_bytes", welcome.chunk_bytes, 1, kMaxChunkBytes);
  io.list("devices", welcome.devices, 1, kMaxDevices);
  io.list("channels", welcome.channels, 1, kMaxChannels);
  io.text("host", welcome.host, kMaxText);
  for (auto& device : welcome.devices) fields(io, device);
  for (auto& plan : welcome.channels) {
    io.number("client_device", plan.client_device, 0, kMaxDevices - 1);
    io.number("server_device", plan.server_device, 0, welcome.devices.size() - 1);
  }
  io.array("network", welcome.network);
  endpoints_of(io, welcome.devices);
  fields(io, welcome.room);
}

void fields(auto& io, Of<Refuse> auto& refuse) {
  io.text("reason", refuse.reason, kMaxText);
}

void fields(auto&, Of<Up> auto&) {}

void fields(auto&, Of<Heartbeat> auto&) {}

void fields(auto& io, Of<Order> auto& order) {
  io.number("number", order.number);
}

void fields(auto& io, Of<Drain> auto& drain) {
  io.array("key", drain.key);
}

void fields(auto& io, Of<Drained> auto& drained) {
  io.array("key", drained.key);
}

void fields(auto&, Of<Last> auto&) {}

void fields(auto& io, Of<Left> auto& left) {
  channel_of(io, left);
}

// Each record fits into a frame of its own: here the largest ones.
constexpr std::size_t kRoom = kFrameBytes - kFrameHeaderBytes - kRecordHeaderBytes;
constexpr std::size_t kWriteFixedBytes = 30;
constexpr std::size_t kTextBytes = sizeof(codec::Count) + kMaxText;
constexpr std::size_t kDevicesBytes = kMaxDevices * (4 + sizeof(codec::Count) + kMaxNameBytes +
                                                     sizeof(codec::Count) + kMaxEndpoints * 20);
static_assert(kWriteFixedBytes + kMaxPieces * Pieces::kEncodedBytes + kMaxInlineBytes <= kRoom);
static_assert(80 + kTextBytes + kDevicesBytes + kMaxChannels * 4 <= kRoom);

// What is wrong although each field is right.
void check(codec::Decoder&, const auto&) {}

void check(codec::Decoder& in, const WriteChunk& chunk) {
  std::uint64_t sum = 0;  // cannot overflow: few pieces of 32 bits each
  for (std::size_t i = 0; i < chunk.decoded.size(); ++i) sum += chunk.decoded[i].bytes;
  if (sum != chunk.bytes)
    in.fail(fmt::format("with bytes = {} and pieces of {}", chunk.bytes, sum));
}

void check(codec::Decoder& in, const ReplyChunk& chunk) {
  if (chunk.offset > std::numeric_limits<std::uint64_t>::max() - chunk.bytes)
    in.fail(fmt::format("with offset = {}, whose {} bytes end beyond 64 bits", chunk.offset,
                        chunk.bytes));
}

// `left` is what the frame has behind the record's header.
Status check_header(const RecordHeader& header, std::size_t left) {
  if (header.type < 1 || header.type > std::size(kNames))
    return bad(fmt::format("a record of unknown type {}", header.type));
  if (header.length > left)
    return bad(fmt::format("a {} of {} bytes where its frame has {} left", kNames[header.type - 1],
                           header.length, left));
  return {};
}

Error other_version(std::uint16_t version) {
  return bad(fmt::format("protocol version {}, this side speaks {}", version, kVersion));
}

}  // namespace

Piece Pieces::operator[](std::size_t index) const {
  const std::byte* const at = encoded_.data() + index * kEncodedBytes;  // as fields() has it
  return {load_le<std::uint64_t>(at), load_le<std::uint32_t>(at + sizeof(std::uint64_t))};
}

const char* record_name(const Record& record) {
  return kNames[record.index()];
}

std::size_t encoded_bytes(const Record& record) {
  return std::visit(
      [](const auto& it) {
        Sizer payload;
        fields(payload, it);
        return kRecordHeaderBytes + payload.bytes();
      },
      record);
}

std::size_t chunk_record_bytes(std::size_t pieces, std::uint64_t inline_bytes) {
  return kRecordHeaderBytes + kWriteFixedBytes + pieces * Pieces::kEncodedBytes +
         static_cast<std::size_t>(inline_bytes);
}

FrameBuilder::FrameBuilder(std::span<std::byte> buffer)
    : buffer_(buffer.first(std::min(buffer.size(), kFrameBytes))), used_(kFrameHeaderBytes) {}

std::size_t FrameBuilder::room() const {
  return buffer_.size() - used_;
}

bool FrameBuilder::add(const Record& record) {
  const std::size_t bytes = std::visit(
      [&](const auto& it) -> std::size_t {
        Sizer payload;
        fields(payload, it);
        const std::size_t whole = kRecordHeaderBytes + payload.bytes();
        if (whole > room()) return 0;
        std::byte* const at = buffer_.data() + used_;
        codec::Encoder out(at + kRecordHeaderBytes);
        fields(out, it);
        const RecordHeader header{static_cast<std::uint16_t>(record.index() + 1), out.flags(),
                                  static_cast<std::uint32_t>(payload.bytes())};
        codec::Encoder front(at);
        fields(front, header);
        return whole;
      },
      record);
  if (bytes == 0) return false;
  used_ += bytes;
  ++records_;
  return true;
}

std::span<const std::byte> FrameBuilder::finish() {
  FrameHeader header;
  header.records = static_cast<std::uint16_t>(records_);
  header.length = static_cast<std::uint32_t>(used_);
  codec::Encoder out(buffer_.data());
  fields(out, std::as_const(header));
  return buffer_.first(used_);
}

Result<std::size_t> frame_length(std::span<const std::byte, kFrameHeaderBytes> bytes) {
  const auto header = load<FrameHeader>(bytes);
  if (header.magic != kMagic) return bad(control::describe_stranger(bytes));
  // A Refuse stands alone, and is understood in any version.
  if (header.version != kVersion && header.records != 1) return other_version(header.version);
  if (header.records == 0) return bad("a frame without records");
  if (header.length < kFrameHeaderBytes || header.length > kFrameBytes)
    return bad(fmt::format("a frame with length = {}, want {} to {}", header.length,
                           kFrameHeaderBytes, kFrameBytes));
  if (header.reserved != 0) return bad("a frame whose reserved header field is not zero");
  return header.length;
}

Result<FrameReader> FrameReader::open(std::span<const std::byte> frame) {
  if (frame.size() < kFrameHeaderBytes)
    return bad(
        fmt::format("{} bytes where a frame's header takes {}", frame.size(), kFrameHeaderBytes));
  std::size_t length = 0;
  HAWSER_ASSIGN(length, frame_length(frame.first<kFrameHeaderBytes>()));
  if (frame.size() != length)
    return bad(fmt::format("{} bytes where the frame's header announced {}", frame.size(), length));
  const auto header = load<FrameHeader>(frame);
  const auto records = frame.subspan(kFrameHeaderBytes);
  if (header.version != kVersion &&
      (records.size() < kRecordHeaderBytes || load<RecordHeader>(records).type != kRefuseType))
    return other_version(header.version);
  return FrameReader(records, header.records);
}

Result<std::optional<Record>> FrameReader::next() {
  if (count_ == 0 && left_.empty()) return std::optional<Record>();
  if (count_ == 0)
    return bad(fmt::format("a frame with {} bytes behind its records", left_.size()));
  if (left_.size() < kRecordHeaderBytes)
    return bad(fmt::format("a frame that ends where {} records are missing", count_));
  const auto header = load<RecordHeader>(left_);
  const auto behind = left_.subspan(kRecordHeaderBytes);
  HAWSER_TRY(check_header(header, behind.size()));
  codec::Decoder in(kNames[header.type - 1], behind.first(header.length), header.flags);
  std::optional<Record> record(std::in_place);
  codec::read_alternative(*record, header.type - 1u, [&in](auto& it) {
    fields(in, it);
    if (in.good()) check(in, it);
  });
  if (const auto& error = in.finish()) return *error;
  left_ = behind.subspan(header.length);
  --count_;
  return record;
}

}  // namespace hawser::engine::wire
