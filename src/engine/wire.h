// What two engines say to each other: frames of records, over channels and over the control
// connection. docs/engine-protocol.md is the specification; this file mirrors its meaning,
// wire.cc its fields.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace hawser::engine::wire {

inline constexpr std::uint32_t kMagic = 0x46535748;  // "HWSF" in the order of the bytes
inline constexpr std::uint16_t kVersion = 3;
inline constexpr std::size_t kFrameHeaderBytes = 16;
inline constexpr std::size_t kFrameBytes = 16 * 1024;  // the largest frame, header included
inline constexpr std::size_t kMaxPieces = 512;         // of one record
inline constexpr std::uint32_t kMaxChunkBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kMaxInlineBytes = 8 * 1024;
inline constexpr std::size_t kMaxNotification = 4096;
inline constexpr std::size_t kMaxText = 512;
inline constexpr std::size_t kMaxNameBytes = 64;
inline constexpr std::size_t kMaxDevices = 64;
inline constexpr std::size_t kMaxEndpoints = 4;    // of a device
inline constexpr std::size_t kMaxChannels = 1024;  // of one link
inline constexpr std::size_t kHandleBytes = 128;

using Key = std::array<std::byte, 16>;  // of a region, an engine, a link

// A part of the peer's region; bytes fit into 32 bits since a chunk does.
struct Piece {
  std::uint64_t offset = 0;
  std::uint32_t bytes = 0;
};

// The pieces of a decoded record, where they lie in the frame. Valid as long as the frame.
class Pieces {
 public:
  Pieces() = default;
  explicit Pieces(std::span<const std::byte> encoded) : encoded_(encoded) {}
  std::size_t size() const { return encoded_.size() / kEncodedBytes; }
  Piece operator[](std::size_t index) const;

  static constexpr std::size_t kEncodedBytes = 12;

 private:
  std::span<const std::byte> encoded_;
};

// "op" is the id of an operation of one side: unique on its link for ever. `op` of a record is an
// operation of whoever gets the record, `sender_op` one of whoever sends it.

// All frames and chunks of this channel, up to these counts, have been taken in and applied.
struct Ack {
  std::uint64_t frames = 0;
  std::uint64_t chunks = 0;
};

// A write's data, to the pieces of a region of the receiver, one after another. The data is a
// message of its own behind the frame, in the order of the chunks; or here, where `data` is not
// empty. `bytes` is the sum of the pieces: 1 to kMaxChunkBytes, in 1 to kMaxPieces pieces, each of
// at least 1 byte.
struct WriteChunk {
  std::uint64_t sender_op = 0;
  bool tracked = false;  // counts towards a Begin
  Key key{};
  std::uint32_t bytes = 0;
  std::span<const Piece> pieces;    // to encode
  Pieces decoded;                   // when decoded
  std::span<const std::byte> data;  // inline, or empty
};

// Data for a read or a receive of the receiver, whose blocks it knows itself: 1 to kMaxChunkBytes.
struct ReplyChunk {
  std::uint64_t op = 0;
  std::uint64_t offset = 0;  // in the operation's data
  std::uint32_t bytes = 0;
  std::span<const std::byte> data;  // inline, or empty
};

// A tracked write of `total` bytes: when so many have been applied, the notification is delivered.
struct Begin {
  std::uint64_t sender_op = 0;
  std::uint64_t total = 0;
  std::span<const std::byte> notification;
};

// Send me these pieces of your region, as my operation's data: 1 to kMaxPieces, each of at least 1
// byte.
struct ReadRequest {
  std::uint64_t sender_op = 0;
  Key key{};
  std::span<const Piece> pieces;  // to encode
  Pieces decoded;
};

// There is a message of that tag. Eager: its data (maybe none) is here. An empty message is always
// eager.
struct Send {
  std::uint64_t sender_op = 0;
  std::uint64_t tag = 0;
  std::uint64_t total = 0;
  bool eager = false;
  std::span<const std::byte> data;
};

// Your send has met my receive: send it as ReplyChunks for `sender_op`.
struct Ready {
  std::uint64_t op = 0;
  std::uint64_t sender_op = 0;
};

// Your eager send has been applied.
struct Finished {
  std::uint64_t op = 0;
};

// Your operation has failed, or has been stopped as you asked; nothing more comes for it.
struct Fault {
  std::uint64_t op = 0;
  Code code = Code::internal;
  std::string_view text;
};

// Send nothing more for this read or receive of mine, and answer with a Fault.
struct Stop {
  std::uint64_t sender_op = 0;
};

// Forget my send, if it has met no receive, and answer with a Fault; or my tracked write.
struct Withdraw {
  std::uint64_t sender_op = 0;
};

struct Notify {
  std::span<const std::byte> text;
};

struct Ping {};

// The number, from 1 on, of the message behind this record: those of a side are taken in this
// order, whichever way they come.
struct Order {
  std::uint64_t number = 0;
};

// I am about to forget this region of mine: begin nothing with it any more, and answer with a
// Drained.
struct Drain {
  Key key{};
};

// All that I have asked of this region of yours has ended, or has been said before this.
struct Drained {
  Key key{};
};

// Nothing follows on this channel.
struct Last {};

// So many messages, reads and notifications of yours I have room for, counted from the link's
// beginning: what has come and has gone again counts, too. They only grow: of two the larger one is
// the newer.
struct Room {
  std::uint64_t messages = 0;
  std::uint64_t reads = 0;
  std::uint64_t notifications = 0;
};

// I have closed this channel, having taken in and applied so many of your frames and chunks of it.
struct ChannelDown {
  std::uint32_t channel = 0;
  std::uint32_t generation = 0;
  std::uint64_t frames = 0;
  std::uint64_t chunks = 0;
  std::string_view reason;
};

// I listen for this channel: connect to that. The server's names the same places as the client's
// before.
struct ChannelOffer {
  std::uint32_t channel = 0;
  std::uint32_t generation = 0;
  std::array<std::byte, kHandleBytes> handle{};
  bool sends = false;  // whoever listens there sends: I cannot connect to you
  // Their places in the Hello and in the Welcome.
  std::uint16_t client_device = 0;
  std::uint16_t server_device = 0;
  std::uint8_t client_endpoint = 0;
  std::uint8_t server_endpoint = 0;
};

// I end the link.
struct Close {
  std::string_view reason;
};

// ---- over the control connection only ----

// Where a device is reached.
struct Endpoint {
  std::uint8_t family = 4;  // 4 or 6
  std::uint8_t prefix_bits = 0;
  std::uint16_t port = 0;
  std::array<std::byte, 16> address{};  // of IPv4 the first four
};

struct Device {
  std::string name;
  std::uint32_t speed_mbps = 0;
  std::vector<Endpoint> endpoints{};  // none: the transport does not tell
};

// client -> server, first.
struct Hello {
  Key engine{};
  std::uint32_t chunk_bytes = 0;          // 1 to kMaxChunkBytes
  std::uint32_t channels_per_device = 0;  // 0: as the server thinks best
  std::string host;                       // for people
  std::string transport;                  // Net::name(); never empty on the wire
  std::vector<Device> devices;            // 1 to kMaxDevices
  Key network{};                          // the same for all on one network stack of a machine
  Room room{};                            // to begin with
};

// Which device of each side a channel has.
struct ChannelPlan {
  std::uint16_t client_device = 0;
  std::uint16_t server_device = 0;
};

// server -> client, in answer.
struct Welcome {
  Key engine{};
  Key link{};
  std::uint32_t chunk_bytes = 0;  // 1 to kMaxChunkBytes
  std::string host;
  std::vector<Device> devices;
  std::vector<ChannelPlan> channels;  // 1 to kMaxChannels; indices are checked
  Key network{};
  Room room{};
};

// Understood in any version: its type and its form never change.
struct Refuse {
  std::string_view reason;
};

// Whoever sends it can use at least one channel.
struct Up {};

struct Heartbeat {};

// I have said Last on this channel, and heard yours: you may close it.
struct Left {
  std::uint32_t channel = 0;
  std::uint32_t generation = 0;
};

// A record's type on the wire is its place here, counted from 1.
using Record =
    std::variant<Ack, WriteChunk, ReplyChunk, Begin, ReadRequest, Send, Ready, Finished, Fault,
                 Stop, Withdraw, Notify, Ping, ChannelDown, ChannelOffer, Close, Hello, Welcome,
                 Refuse, Up, Heartbeat, Order, Drain, Drained, Last, Left, Room>;

const char* record_name(const Record& record);  // "WriteChunk"
// What it takes in a frame, its own header included.
std::size_t encoded_bytes(const Record& record);
// What a WriteChunk or, without pieces, a ReplyChunk takes at most.
std::size_t chunk_record_bytes(std::size_t pieces, std::uint64_t inline_bytes);

// Builds one frame in a buffer of at least kFrameBytes. Not thread-safe; a value.
class FrameBuilder {
 public:
  explicit FrameBuilder(std::span<std::byte> buffer);

  bool empty() const { return records_ == 0; }
  std::size_t room() const;  // for records, in bytes
  // False: it does not fit, and nothing was changed. Texts are made printable, and cut between two
  // characters where they are longer than kMaxText, a device's name than kMaxNameBytes; other
  // limits above are the caller's to keep. Never allocates.
  bool add(const Record& record);
  // The whole frame, in the buffer.
  std::span<const std::byte> finish();

 private:
  std::span<std::byte> buffer_;
  std::size_t used_;
  std::uint32_t records_ = 0;
};

// The frame's length as its header has it. Code::protocol: this is no frame's beginning.
Result<std::size_t> frame_length(std::span<const std::byte, kFrameHeaderBytes> header);

// Reads the records of one whole frame, which must stay as it is. Each field is checked for form,
// not for sense: counts, lengths and enums, never whether an operation or a key exists. What a
// record views lies in the frame: nothing is allocated but for a Hello, a Welcome and an error.
class FrameReader {
 public:
  static Result<FrameReader> open(std::span<const std::byte> frame);
  // Nothing: there are no more. Code::protocol: no correct peer sends this; so it stays at every
  // further call.
  Result<std::optional<Record>> next();

 private:
  explicit FrameReader(std::span<const std::byte> records, std::uint32_t count)
      : left_(records), count_(count) {}
  std::span<const std::byte> left_;
  std::uint32_t count_;
};

}  // namespace hawser::engine::wire
