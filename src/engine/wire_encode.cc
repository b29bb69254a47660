#include <algorithm>
#include <cstring>

#include "base/endian.h"
#include "bootstrap/wire.h"
#include "engine/wire_layout.h"

namespace hawser::engine::wire {
namespace {

// A record being made where there is room for it, and counted in any case. Never allocates.
class Writer {
 public:
  Writer(std::span<std::byte> room, std::size_t fixed_bytes, std::uint16_t flags = 0)
      : room_(room), flags_(flags) {
    grow(layout::record::kHeaderBytes);
    fixed_ = grow(fixed_bytes);
  }

  template <class T>
  void put(layout::Field<T> field, T value) {
    if (fixed_ != nullptr) store_le(fixed_ + field.offset, value);
  }
  template <std::size_t N>
  void put(layout::Bytes<N> field, const std::array<std::byte, N>& bytes) {
    if (fixed_ != nullptr) std::copy(bytes.begin(), bytes.end(), fixed_ + field.offset);
  }

  // Behind the fixed part.
  void append(std::span<const std::byte> bytes);
  void append(std::span<const Piece> pieces);
  void append(const std::vector<Device>& devices);
  void append(const std::vector<ChannelPlan>& channels);
  void append_text(std::string_view text, std::size_t max_bytes = kMaxText);

  std::size_t bytes() const { return used_; }
  // False: there was no room.
  bool finish(std::size_t type);

 private:
  // Where the next bytes belong; null: there is no room for them.
  std::byte* grow(std::size_t bytes) {
    std::byte* const at = used_ + bytes <= room_.size() ? room_.data() + used_ : nullptr;
    used_ += bytes;
    return at;
  }

  std::span<std::byte> room_;
  std::uint16_t flags_;
  std::size_t used_ = 0;
  std::byte* fixed_ = nullptr;
};

void Writer::append(std::span<const std::byte> bytes) {
  std::byte* const at = grow(bytes.size());
  if (at != nullptr) std::copy(bytes.begin(), bytes.end(), at);
}

void Writer::append(std::span<const Piece> pieces) {
  std::byte* at = grow(pieces.size() * Pieces::kEncodedBytes);
  if (at == nullptr) return;
  for (const Piece& piece : pieces) {
    store_le(at + layout::piece::kOffset.offset, piece.offset);
    store_le(at + layout::piece::kBytes.offset, piece.bytes);
    at += Pieces::kEncodedBytes;
  }
}

void Writer::append(const std::vector<Device>& devices) {
  for (const Device& device : devices) {
    std::byte* const at = grow(layout::device::kFixedBytes);
    if (at != nullptr) store_le(at + layout::device::kSpeedMbps.offset, device.speed_mbps);
    append_text(device.name, kMaxNameBytes);
  }
}

void Writer::append(const std::vector<ChannelPlan>& channels) {
  namespace at = layout::channel_plan;
  std::byte* plan = grow(channels.size() * at::kFixedBytes);
  if (plan == nullptr) return;
  for (const ChannelPlan& channel : channels) {
    store_le(plan + at::kClientDevice.offset, channel.client_device);
    store_le(plan + at::kServerDevice.offset, channel.server_device);
    plan += at::kFixedBytes;
  }
}

// Made printable on the way, as hawser::wire::printable() does.
void Writer::append_text(std::string_view text, std::size_t max_bytes) {
  std::byte* const length_at = grow(layout::kTextLengthBytes);
  std::size_t sent = 0;
  while (sent < text.size()) {
    const std::size_t printable = hawser::wire::printable_bytes(text, sent);
    const std::size_t bytes = std::max<std::size_t>(printable, 1);
    if (sent + bytes > max_bytes) break;
    std::byte* const at = grow(bytes);
    if (at != nullptr) std::memcpy(at, printable > 0 ? text.data() + sent : "?", bytes);
    sent += bytes;
  }
  if (length_at != nullptr) store_le(length_at, static_cast<std::uint16_t>(sent));
}

bool Writer::finish(std::size_t type) {
  if (used_ > room_.size()) return false;
  namespace at = layout::record;
  store_le(room_.data() + at::kType.offset, static_cast<std::uint16_t>(type));
  store_le(room_.data() + at::kFlags.offset, flags_);
  store_le(room_.data() + at::kLength.offset, static_cast<std::uint32_t>(used_ - at::kHeaderBytes));
  return true;
}

using Room = std::span<std::byte>;

std::uint16_t flag_if(bool set, std::uint16_t flag) {
  return set ? flag : std::uint16_t{0};
}

Writer write(Room room, const Ack& ack) {
  namespace at = layout::ack;
  Writer out(room, at::kFixedBytes);
  out.put(at::kFrames, ack.frames);
  out.put(at::kChunks, ack.chunks);
  return out;
}

Writer write(Room room, const WriteChunk& chunk) {
  namespace at = layout::write_chunk;
  const int flags =
      flag_if(chunk.tracked, at::kTracked) | flag_if(!chunk.data.empty(), at::kInline);
  Writer out(room, at::kFixedBytes, static_cast<std::uint16_t>(flags));
  out.put(at::kSenderOp, chunk.sender_op);
  out.put(at::kKey, chunk.key);
  out.put(at::kBytes, chunk.bytes);
  out.put(at::kPieces, static_cast<std::uint16_t>(chunk.pieces.size()));
  out.append(chunk.pieces);
  out.append(chunk.data);
  return out;
}

Writer write(Room room, const ReplyChunk& chunk) {
  namespace at = layout::reply_chunk;
  Writer out(room, at::kFixedBytes, flag_if(!chunk.data.empty(), at::kInline));
  out.put(at::kOp, chunk.op);
  out.put(at::kOffset, chunk.offset);
  out.put(at::kBytes, chunk.bytes);
  out.append(chunk.data);
  return out;
}

Writer write(Room room, const Begin& begin) {
  namespace at = layout::begin;
  Writer out(room, at::kFixedBytes);
  out.put(at::kSenderOp, begin.sender_op);
  out.put(at::kTotal, begin.total);
  out.append(begin.notification);
  return out;
}

Writer write(Room room, const ReadRequest& request) {
  namespace at = layout::read_request;
  Writer out(room, at::kFixedBytes);
  out.put(at::kSenderOp, request.sender_op);
  out.put(at::kKey, request.key);
  out.put(at::kPieces, static_cast<std::uint16_t>(request.pieces.size()));
  out.append(request.pieces);
  return out;
}

Writer write(Room room, const Send& send) {
  namespace at = layout::send;
  Writer out(room, at::kFixedBytes, flag_if(send.eager, at::kEager));
  out.put(at::kSenderOp, send.sender_op);
  out.put(at::kTag, send.tag);
  out.put(at::kTotal, send.total);
  out.append(send.data);
  return out;
}

Writer write(Room room, const Ready& ready) {
  namespace at = layout::ready;
  Writer out(room, at::kFixedBytes);
  out.put(at::kOp, ready.op);
  out.put(at::kSenderOp, ready.sender_op);
  return out;
}

Writer write(Room room, const Finished& finished) {
  Writer out(room, layout::finished::kFixedBytes);
  out.put(layout::finished::kOp, finished.op);
  return out;
}

Writer write(Room room, const Fault& fault) {
  namespace at = layout::fault;
  Writer out(room, at::kFixedBytes);
  out.put(at::kOp, fault.op);
  out.put(at::kCode, static_cast<std::uint16_t>(static_cast<int>(fault.code) + 1));
  out.append_text(fault.text);
  return out;
}

Writer write(Room room, const Stop& stop) {
  Writer out(room, layout::stop::kFixedBytes);
  out.put(layout::stop::kSenderOp, stop.sender_op);
  return out;
}

Writer write(Room room, const Withdraw& withdraw) {
  Writer out(room, layout::withdraw::kFixedBytes);
  out.put(layout::withdraw::kSenderOp, withdraw.sender_op);
  return out;
}

Writer write(Room room, const Notify& notify) {
  Writer out(room, 0);
  out.append(notify.text);
  return out;
}

Writer write(Room room, const Ping&) {
  return Writer(room, 0);
}

Writer write(Room room, const ChannelDown& down) {
  namespace at = layout::channel_down;
  Writer out(room, at::kFixedBytes);
  out.put(at::kChannel, down.channel);
  out.put(at::kGeneration, down.generation);
  out.put(at::kFrames, down.frames);
  out.put(at::kChunks, down.chunks);
  out.append_text(down.reason);
  return out;
}

Writer write(Room room, const ChannelOffer& offer) {
  namespace at = layout::channel_offer;
  Writer out(room, at::kFixedBytes);
  out.put(at::kChannel, offer.channel);
  out.put(at::kGeneration, offer.generation);
  out.put(at::kHandle, offer.handle);
  return out;
}

Writer write(Room room, const Close& close) {
  Writer out(room, 0);
  out.append_text(close.reason);
  return out;
}

Writer write(Room room, const Hello& hello) {
  namespace at = layout::hello;
  Writer out(room, at::kFixedBytes);
  out.put(at::kEngine, hello.engine);
  out.put(at::kChunkBytes, hello.chunk_bytes);
  out.put(at::kChannelsPerDevice, hello.channels_per_device);
  out.put(at::kDevices, static_cast<std::uint16_t>(hello.devices.size()));
  out.append_text(hello.host);
  out.append_text(hello.transport);
  out.append(hello.devices);
  return out;
}

Writer write(Room room, const Welcome& welcome) {
  namespace at = layout::welcome;
  Writer out(room, at::kFixedBytes);
  out.put(at::kEngine, welcome.engine);
  out.put(at::kLink, welcome.link);
  out.put(at::kChunkBytes, welcome.chunk_bytes);
  out.put(at::kDevices, static_cast<std::uint16_t>(welcome.devices.size()));
  out.put(at::kChannels, static_cast<std::uint16_t>(welcome.channels.size()));
  out.append_text(welcome.host);
  out.append(welcome.devices);
  out.append(welcome.channels);
  return out;
}

Writer write(Room room, const Refuse& refuse) {
  Writer out(room, 0);
  out.append_text(refuse.reason);
  return out;
}

Writer write(Room room, const Up&) {
  return Writer(room, 0);
}

Writer write(Room room, const Heartbeat&) {
  return Writer(room, 0);
}

Writer write(Room room, const Order& order) {
  Writer out(room, layout::order::kFixedBytes);
  out.put(layout::order::kNumber, order.number);
  return out;
}

Writer write(Room room, const Drain& drain) {
  Writer out(room, layout::drain::kFixedBytes);
  out.put(layout::drain::kKey, drain.key);
  return out;
}

Writer write(Room room, const Drained& drained) {
  Writer out(room, layout::drained::kFixedBytes);
  out.put(layout::drained::kKey, drained.key);
  return out;
}

Writer write(Room room, const Last&) {
  return Writer(room, 0);
}

Writer write(Room room, const Left& left) {
  Writer out(room, layout::left::kFixedBytes);
  out.put(layout::left::kChannel, left.channel);
  out.put(layout::left::kGeneration, left.generation);
  return out;
}

Writer write_record(Room room, const Record& record) {
  return std::visit([room](const auto& it) { return write(room, it); }, record);
}

}  // namespace

std::size_t encoded_bytes(const Record& record) {
  return write_record({}, record).bytes();
}

std::size_t chunk_record_bytes(std::size_t pieces, std::uint64_t inline_bytes) {
  return layout::record::kHeaderBytes + layout::write_chunk::kFixedBytes +
         pieces * Pieces::kEncodedBytes + static_cast<std::size_t>(inline_bytes);
}

FrameBuilder::FrameBuilder(std::span<std::byte> buffer)
    : buffer_(buffer.first(std::min(buffer.size(), kFrameBytes))), used_(kFrameHeaderBytes) {}

std::size_t FrameBuilder::room() const {
  return buffer_.size() - used_;
}

bool FrameBuilder::add(const Record& record) {
  Writer out = write_record(buffer_.subspan(used_), record);
  if (!out.finish(record.index() + 1)) return false;
  used_ += out.bytes();
  ++records_;
  return true;
}

std::span<const std::byte> FrameBuilder::finish() {
  std::byte* const at = buffer_.data();
  store_le(at + layout::frame::kMagicField.offset, kMagic);
  store_le(at + layout::frame::kVersionField.offset, kVersion);
  store_le(at + layout::frame::kRecords.offset, static_cast<std::uint16_t>(records_));
  store_le(at + layout::frame::kLength.offset, static_cast<std::uint32_t>(used_));
  store_le(at + layout::frame::kReserved.offset, std::uint32_t{0});
  return buffer_.first(used_);
}

}  // namespace hawser::engine::wire
