#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/endian.h"
#include "bootstrap/wire.h"
#include "engine/wire_layout.h"

namespace hawser::engine::wire {
namespace {

// Understood in any version: its place and its form never change.
constexpr std::uint16_t kRefuseType = 19;
static_assert(std::is_same_v<std::variant_alternative_t<kRefuseType - 1, Record>, Refuse>);

Error bad(std::string message) {
  return Error(Code::protocol, std::move(message));
}

// Reads a record's fields and remembers the first that is wrong; reads zeros from then on. What it
// gives out lies in the frame. The payload is at least its fixed part.
class Reader {
 public:
  Reader(const char* name, std::uint16_t flags, std::span<const std::byte> payload,
         std::size_t fixed_bytes)
      : name_(name), flags_(flags), payload_(payload), tail_(payload.subspan(fixed_bytes)) {}

  bool flag(std::uint16_t bit) const { return (flags_ & bit) != 0; }
  template <class T>
  T number(const char* field, layout::Field<T> at, T min = 0,
           T max = std::numeric_limits<T>::max());
  template <std::size_t N>
  std::array<std::byte, N> bytes(layout::Bytes<N> at);

  // What stands behind the fixed part, from front to back.
  std::span<const std::byte> take(const char* field, std::size_t bytes);
  std::span<const std::byte> rest(const char* field, std::size_t max_bytes);
  std::string_view text(const char* field, std::size_t min_bytes = 0,
                        std::size_t max_bytes = kMaxText);
  Pieces pieces(std::size_t count);
  std::vector<Device> devices(std::size_t count);
  std::vector<ChannelPlan> channels(std::size_t count, std::size_t server_devices);

  void fail(std::string problem) {
    if (!error_) error_ = bad(fmt::format("a {} {}", name_, problem));
  }
  // All bytes must have been taken.
  const std::optional<Error>& finish();

 private:
  template <class T>
  T checked(const char* field, T value, T min, T max);

  const char* name_;
  std::uint16_t flags_;
  std::span<const std::byte> payload_;
  std::span<const std::byte> tail_;
  std::optional<Error> error_;
};

template <class T>
T Reader::checked(const char* field, T value, T min, T max) {
  if (value >= min && value <= max) return value;
  fail(fmt::format("with {} = {}, want {} to {}", field, value, min, max));
  return 0;
}

template <class T>
T Reader::number(const char* field, layout::Field<T> at, T min, T max) {
  if (error_) return 0;
  return checked(field, load_le<T>(payload_.data() + at.offset), min, max);
}

template <std::size_t N>
std::array<std::byte, N> Reader::bytes(layout::Bytes<N> at) {
  std::array<std::byte, N> out;
  std::copy_n(payload_.begin() + static_cast<std::ptrdiff_t>(at.offset), N, out.begin());
  return out;
}

std::span<const std::byte> Reader::take(const char* field, std::size_t bytes) {
  if (error_) return {};
  if (bytes > tail_.size()) {
    fail(fmt::format("of {} bytes, too short for its {}", payload_.size(), field));
    return {};
  }
  const auto taken = tail_.first(bytes);
  tail_ = tail_.subspan(bytes);
  return taken;
}

std::span<const std::byte> Reader::rest(const char* field, std::size_t max_bytes) {
  if (!error_ && tail_.size() > max_bytes)
    fail(fmt::format("with {} of {} bytes, at most {}", field, tail_.size(), max_bytes));
  return take(field, tail_.size());
}

bool is_printable(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t bytes = hawser::wire::printable_bytes(text, i);
    if (bytes == 0) return false;
    i += bytes;
  }
  return true;
}

std::string_view Reader::text(const char* field, std::size_t min_bytes, std::size_t max_bytes) {
  const auto length = take(field, layout::kTextLengthBytes);
  if (error_) return {};
  const std::size_t bytes = load_le<std::uint16_t>(length.data());
  if (bytes < min_bytes) fail(fmt::format("without a {}", field));
  if (bytes > max_bytes)
    fail(fmt::format("with {} of {} bytes, at most {}", field, bytes, max_bytes));
  const auto taken = take(field, bytes);
  const std::string_view text(reinterpret_cast<const char*>(taken.data()), taken.size());
  if (!is_printable(text)) fail(fmt::format("whose {} is no printable UTF-8", field));
  return error_ ? std::string_view() : text;
}

// Each piece is of some bytes, and ends within 64 bits.
Pieces Reader::pieces(std::size_t count) {
  const Pieces pieces(take("pieces", count * Pieces::kEncodedBytes));
  for (std::size_t i = 0; i < pieces.size() && !error_; ++i) {
    const Piece piece = pieces[i];
    if (piece.bytes == 0) fail(fmt::format("whose pieces[{}] is of 0 bytes", i));
    if (piece.offset > std::numeric_limits<std::uint64_t>::max() - piece.bytes)
      fail(fmt::format("whose pieces[{}] ends beyond 64 bits", i));
  }
  return error_ ? Pieces() : pieces;
}

std::vector<Device> Reader::devices(std::size_t count) {
  std::vector<Device> devices;
  for (std::size_t i = 0; i < count && !error_; ++i) {
    Device device;
    if (const auto fixed = take("devices", layout::device::kFixedBytes); !error_)
      device.speed_mbps = load_le<std::uint32_t>(fixed.data() + layout::device::kSpeedMbps.offset);
    device.name = text("device's name", 0, kMaxNameBytes);
    devices.push_back(std::move(device));
  }
  return devices;
}

std::vector<ChannelPlan> Reader::channels(std::size_t count, std::size_t server_devices) {
  namespace at = layout::channel_plan;
  const auto encoded = take("channels", count * at::kFixedBytes);
  std::vector<ChannelPlan> channels;
  for (std::size_t i = 0; i < count && !error_; ++i) {
    const std::byte* const plan = encoded.data() + i * at::kFixedBytes;
    const auto index = [&](const char* field, layout::U16 where, std::size_t devices) {
      return checked<std::uint16_t>(field, load_le<std::uint16_t>(plan + where.offset), 0,
                                    static_cast<std::uint16_t>(devices - 1));
    };
    channels.push_back({index("client_device", at::kClientDevice, kMaxDevices),
                        index("server_device", at::kServerDevice, server_devices)});
  }
  return channels;
}

const std::optional<Error>& Reader::finish() {
  if (!error_ && !tail_.empty())
    fail(fmt::format("of {} bytes where its fields take {}", payload_.size(),
                     payload_.size() - tail_.size()));
  return error_;
}

std::uint64_t sum_of(const Pieces& pieces) {
  std::uint64_t sum = 0;  // cannot overflow: few pieces of 32 bits each
  for (std::size_t i = 0; i < pieces.size(); ++i) sum += pieces[i].bytes;
  return sum;
}

void check_end(Reader& in, std::uint64_t offset, std::uint64_t bytes) {
  if (offset > std::numeric_limits<std::uint64_t>::max() - bytes)
    in.fail(fmt::format("with offset = {}, whose {} bytes end beyond 64 bits", offset, bytes));
}

// The data of a chunk of `bytes`, where it is in the record.
std::span<const std::byte> inline_data(Reader& in, std::uint32_t bytes) {
  if (bytes > kMaxInlineBytes)
    in.fail(fmt::format("with data of {} bytes, at most {}", bytes, kMaxInlineBytes));
  return in.take("data", bytes);
}

Record decode_ack(Reader& in) {
  namespace at = layout::ack;
  return Ack{in.number("frames", at::kFrames), in.number("chunks", at::kChunks)};
}

Record decode_write_chunk(Reader& in) {
  namespace at = layout::write_chunk;
  WriteChunk chunk;
  chunk.sender_op = in.number("sender_op", at::kSenderOp);
  chunk.tracked = in.flag(at::kTracked);
  chunk.key = in.bytes(at::kKey);
  chunk.bytes = in.number("bytes", at::kBytes, 1u, kMaxChunkBytes);
  chunk.decoded = in.pieces(in.number<std::uint16_t>("pieces", at::kPieces, 1, kMaxPieces));
  if (const std::uint64_t sum = sum_of(chunk.decoded); sum != chunk.bytes)
    in.fail(fmt::format("with bytes = {} and pieces of {}", chunk.bytes, sum));
  if (in.flag(at::kInline)) chunk.data = inline_data(in, chunk.bytes);
  return chunk;
}

Record decode_reply_chunk(Reader& in) {
  namespace at = layout::reply_chunk;
  ReplyChunk chunk;
  chunk.op = in.number("op", at::kOp);
  chunk.offset = in.number("offset", at::kOffset);
  chunk.bytes = in.number("bytes", at::kBytes, 1u, kMaxChunkBytes);
  check_end(in, chunk.offset, chunk.bytes);
  if (in.flag(at::kInline)) chunk.data = inline_data(in, chunk.bytes);
  return chunk;
}

Record decode_begin(Reader& in) {
  namespace at = layout::begin;
  return Begin{in.number("sender_op", at::kSenderOp), in.number("total", at::kTotal),
               in.rest("notification", kMaxNotification)};
}

Record decode_read_request(Reader& in) {
  namespace at = layout::read_request;
  ReadRequest request;
  request.sender_op = in.number("sender_op", at::kSenderOp);
  request.key = in.bytes(at::kKey);
  request.decoded = in.pieces(in.number<std::uint16_t>("pieces", at::kPieces, 1, kMaxPieces));
  return request;
}

Record decode_send(Reader& in) {
  namespace at = layout::send;
  Send send;
  send.sender_op = in.number("sender_op", at::kSenderOp);
  send.tag = in.number("tag", at::kTag);
  send.eager = in.flag(at::kEager);
  // An empty message has nothing to come later: it is always eager.
  send.total = in.number<std::uint64_t>(
      "total", at::kTotal, send.eager ? 0 : 1,
      send.eager ? kMaxInlineBytes : std::numeric_limits<std::uint64_t>::max());
  if (send.eager) send.data = in.take("data", send.total);
  return send;
}

Record decode_ready(Reader& in) {
  namespace at = layout::ready;
  return Ready{in.number("op", at::kOp), in.number("sender_op", at::kSenderOp)};
}

Record decode_finished(Reader& in) {
  return Finished{in.number("op", layout::finished::kOp)};
}

Record decode_fault(Reader& in) {
  namespace at = layout::fault;
  Fault fault;
  fault.op = in.number("op", at::kOp);
  const auto code = in.number<std::uint16_t>("code", at::kCode, 1, at::kCodes);
  fault.code = code == 0 ? Code::protocol : static_cast<Code>(code - 1);
  fault.text = in.text("text");
  return fault;
}

Record decode_stop(Reader& in) {
  return Stop{in.number("sender_op", layout::stop::kSenderOp)};
}

Record decode_withdraw(Reader& in) {
  return Withdraw{in.number("sender_op", layout::withdraw::kSenderOp)};
}

Record decode_notify(Reader& in) {
  return Notify{in.rest("text", kMaxNotification)};
}

Record decode_ping(Reader&) {
  return Ping{};
}

std::uint32_t channel_index(Reader& in, layout::U32 at) {
  return in.number("channel", at, 0u, static_cast<std::uint32_t>(kMaxChannels - 1));
}

Record decode_channel_down(Reader& in) {
  namespace at = layout::channel_down;
  ChannelDown down;
  down.channel = channel_index(in, at::kChannel);
  down.generation = in.number("generation", at::kGeneration);
  down.frames = in.number("frames", at::kFrames);
  down.chunks = in.number("chunks", at::kChunks);
  down.reason = in.text("reason");
  return down;
}

Record decode_channel_offer(Reader& in) {
  namespace at = layout::channel_offer;
  ChannelOffer offer;
  offer.channel = channel_index(in, at::kChannel);
  offer.generation = in.number("generation", at::kGeneration);
  offer.handle = in.bytes(at::kHandle);
  return offer;
}

Record decode_close(Reader& in) {
  return Close{in.text("reason")};
}

Record decode_hello(Reader& in) {
  namespace at = layout::hello;
  Hello hello;
  hello.engine = in.bytes(at::kEngine);
  hello.chunk_bytes = in.number("chunk_bytes", at::kChunkBytes, 1u, kMaxChunkBytes);
  hello.channels_per_device = in.number("channels_per_device", at::kChannelsPerDevice, 0u,
                                        static_cast<std::uint32_t>(kMaxChannels));
  const auto devices = in.number<std::uint16_t>("devices", at::kDevices, 1, kMaxDevices);
  hello.host = in.text("host");
  hello.transport = in.text("transport", 1);
  hello.devices = in.devices(devices);
  return hello;
}

Record decode_welcome(Reader& in) {
  namespace at = layout::welcome;
  Welcome welcome;
  welcome.engine = in.bytes(at::kEngine);
  welcome.link = in.bytes(at::kLink);
  welcome.chunk_bytes = in.number("chunk_bytes", at::kChunkBytes, 1u, kMaxChunkBytes);
  const auto devices = in.number<std::uint16_t>("devices", at::kDevices, 1, kMaxDevices);
  const auto channels = in.number<std::uint16_t>("channels", at::kChannels, 1, kMaxChannels);
  welcome.host = in.text("host");
  welcome.devices = in.devices(devices);
  welcome.channels = in.channels(channels, devices);
  return welcome;
}

Record decode_refuse(Reader& in) {
  return Refuse{in.text("reason")};
}

Record decode_up(Reader&) {
  return Up{};
}

Record decode_heartbeat(Reader&) {
  return Heartbeat{};
}

Record decode_order(Reader& in) {
  return Order{in.number("number", layout::order::kNumber)};
}

Record decode_drain(Reader& in) {
  return Drain{in.bytes(layout::drain::kKey)};
}

Record decode_drained(Reader& in) {
  return Drained{in.bytes(layout::drained::kKey)};
}

Record decode_last(Reader&) {
  return Last{};
}

Record decode_left(Reader& in) {
  return Left{channel_index(in, layout::left::kChannel),
              in.number("generation", layout::left::kGeneration)};
}

// What a type of record looks like.
struct Form {
  const char* name;
  std::size_t fixed_bytes;
  std::uint16_t flags;  // those that are known
  Record (*decode)(Reader&);
};

constexpr std::uint16_t kWriteChunkFlags =
    layout::write_chunk::kTracked | layout::write_chunk::kInline;

// In the order of Record.
constexpr Form kForms[] = {
    {"Ack", layout::ack::kFixedBytes, 0, decode_ack},
    {"WriteChunk", layout::write_chunk::kFixedBytes, kWriteChunkFlags, decode_write_chunk},
    {"ReplyChunk", layout::reply_chunk::kFixedBytes, layout::reply_chunk::kInline,
     decode_reply_chunk},
    {"Begin", layout::begin::kFixedBytes, 0, decode_begin},
    {"ReadRequest", layout::read_request::kFixedBytes, 0, decode_read_request},
    {"Send", layout::send::kFixedBytes, layout::send::kEager, decode_send},
    {"Ready", layout::ready::kFixedBytes, 0, decode_ready},
    {"Finished", layout::finished::kFixedBytes, 0, decode_finished},
    {"Fault", layout::fault::kFixedBytes, 0, decode_fault},
    {"Stop", layout::stop::kFixedBytes, 0, decode_stop},
    {"Withdraw", layout::withdraw::kFixedBytes, 0, decode_withdraw},
    {"Notify", 0, 0, decode_notify},
    {"Ping", 0, 0, decode_ping},
    {"ChannelDown", layout::channel_down::kFixedBytes, 0, decode_channel_down},
    {"ChannelOffer", layout::channel_offer::kFixedBytes, 0, decode_channel_offer},
    {"Close", 0, 0, decode_close},
    {"Hello", layout::hello::kFixedBytes, 0, decode_hello},
    {"Welcome", layout::welcome::kFixedBytes, 0, decode_welcome},
    {"Refuse", 0, 0, decode_refuse},
    {"Up", 0, 0, decode_up},
    {"Heartbeat", 0, 0, decode_heartbeat},
    {"Order", layout::order::kFixedBytes, 0, decode_order},
    {"Drain", layout::drain::kFixedBytes, 0, decode_drain},
    {"Drained", layout::drained::kFixedBytes, 0, decode_drained},
    {"Last", 0, 0, decode_last},
    {"Left", layout::left::kFixedBytes, 0, decode_left},
};
static_assert(std::size(kForms) == std::variant_size_v<Record>);

// What a record's header announces.
struct RecordHeader {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t length = 0;
};

RecordHeader load_header(std::span<const std::byte> bytes) {
  namespace at = layout::record;
  return {load_le<std::uint16_t>(bytes.data() + at::kType.offset),
          load_le<std::uint16_t>(bytes.data() + at::kFlags.offset),
          load_le<std::uint32_t>(bytes.data() + at::kLength.offset)};
}

// `left` is what the frame has behind the record's header.
Status check_header(const RecordHeader& header, std::size_t left) {
  if (header.type < 1 || header.type > std::size(kForms))
    return bad(fmt::format("a record of unknown type {}", header.type));
  const Form& form = kForms[header.type - 1];
  if (header.length > left)
    return bad(fmt::format("a {} of {} bytes where its frame has {} left", form.name, header.length,
                           left));
  if ((header.flags & ~form.flags) != 0)
    return bad(fmt::format("a {} with unknown flags {:#x}", form.name, header.flags & ~form.flags));
  if (header.length < form.fixed_bytes)
    return bad(fmt::format("a {} of {} bytes where its fields take {}", form.name, header.length,
                           form.fixed_bytes));
  return {};
}

Error other_version(std::uint16_t version) {
  return bad(fmt::format("protocol version {}, this side speaks {}", version, kVersion));
}

// Whoever talks like that is no engine.
Error stranger(std::span<const std::byte> bytes) {
  if (hawser::wire::has_magic(bytes))
    return bad("a validation or a measurement of hawser, not an engine");
  return bad(hawser::wire::describe_stranger(bytes));
}

}  // namespace

Piece Pieces::operator[](std::size_t index) const {
  const std::byte* const at = encoded_.data() + index * kEncodedBytes;
  return {load_le<std::uint64_t>(at + layout::piece::kOffset.offset),
          load_le<std::uint32_t>(at + layout::piece::kBytes.offset)};
}

const char* record_name(const Record& record) {
  return kForms[record.index()].name;
}

Result<std::size_t> frame_length(std::span<const std::byte, kFrameHeaderBytes> header) {
  namespace at = layout::frame;
  if (load_le<std::uint32_t>(header.data() + at::kMagicField.offset) != kMagic)
    return stranger(header);
  const auto version = load_le<std::uint16_t>(header.data() + at::kVersionField.offset);
  const auto records = load_le<std::uint16_t>(header.data() + at::kRecords.offset);
  const auto length = load_le<std::uint32_t>(header.data() + at::kLength.offset);
  if (version != kVersion && records != 1) return other_version(version);  // no Refuse, then
  if (records == 0) return bad("a frame without records");
  if (length < kFrameHeaderBytes || length > kFrameBytes)
    return bad(fmt::format("a frame with length = {}, want {} to {}", length, kFrameHeaderBytes,
                           kFrameBytes));
  if (load_le<std::uint32_t>(header.data() + at::kReserved.offset) != 0)
    return bad("a frame whose reserved header field is not zero");
  return length;
}

Result<FrameReader> FrameReader::open(std::span<const std::byte> frame) {
  namespace at = layout::frame;
  if (frame.size() < kFrameHeaderBytes)
    return bad(
        fmt::format("{} bytes where a frame's header takes {}", frame.size(), kFrameHeaderBytes));
  std::size_t length = 0;
  HAWSER_ASSIGN(length, frame_length(frame.first<kFrameHeaderBytes>()));
  if (frame.size() != length)
    return bad(fmt::format("{} bytes where the frame's header announced {}", frame.size(), length));
  const auto records = frame.subspan(kFrameHeaderBytes);
  const auto version = load_le<std::uint16_t>(frame.data() + at::kVersionField.offset);
  if (version != kVersion &&
      (records.size() < layout::record::kHeaderBytes || load_header(records).type != kRefuseType))
    return other_version(version);
  return FrameReader(records, load_le<std::uint16_t>(frame.data() + at::kRecords.offset));
}

Result<std::optional<Record>> FrameReader::next() {
  if (count_ == 0 && left_.empty()) return std::optional<Record>();
  if (count_ == 0)
    return bad(fmt::format("a frame with {} bytes behind its records", left_.size()));
  if (left_.size() < layout::record::kHeaderBytes)
    return bad(fmt::format("a frame that ends where {} records are missing", count_));
  const RecordHeader header = load_header(left_);
  const auto behind = left_.subspan(layout::record::kHeaderBytes);
  HAWSER_TRY(check_header(header, behind.size()));
  const Form& form = kForms[header.type - 1];
  Reader in(form.name, header.flags, behind.first(header.length), form.fixed_bytes);
  std::optional<Record> record(form.decode(in));
  if (const auto& error = in.finish()) return *error;
  left_ = behind.subspan(header.length);
  --count_;
  return record;
}

}  // namespace hawser::engine::wire
