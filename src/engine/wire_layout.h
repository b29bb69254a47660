// Where each field stands in its record. Mirrors the tables of docs/engine-protocol.md; a change
// here is another protocol version.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bootstrap/wire_layout.h"
#include "engine/wire.h"

namespace hawser::engine::wire::layout {

using hawser::wire::layout::Bytes;
using hawser::wire::layout::Field;
using hawser::wire::layout::kTextLengthBytes;
using hawser::wire::layout::packed;
using hawser::wire::layout::U16;
using hawser::wire::layout::U32;
using hawser::wire::layout::U64;
using hawser::wire::layout::U8;
using KeyField = Bytes<std::tuple_size_v<Key>>;

namespace frame {
inline constexpr U32 kMagicField{0};
inline constexpr U16 kVersionField{4};
inline constexpr U16 kRecords{6};
inline constexpr U32 kLength{8};
inline constexpr U32 kReserved{12};
static_assert(packed(kFrameHeaderBytes, kMagicField, kVersionField, kRecords, kLength, kReserved));
}  // namespace frame

namespace record {
inline constexpr U16 kType{0};
inline constexpr U16 kFlags{2};
inline constexpr U32 kLength{4};
inline constexpr std::size_t kHeaderBytes = 8;
static_assert(packed(kHeaderBytes, kType, kFlags, kLength));
}  // namespace record

// What stands in records is told from the end of their header. A record is its fixed part and,
// behind it, in this order: pieces or texts or devices or plans; data.

namespace piece {
inline constexpr U64 kOffset{0};
inline constexpr U32 kBytes{8};
static_assert(packed(Pieces::kEncodedBytes, kOffset, kBytes));
}  // namespace piece

namespace ack {
inline constexpr U64 kFrames{0};
inline constexpr U64 kChunks{8};
inline constexpr std::size_t kFixedBytes = 16;
static_assert(packed(kFixedBytes, kFrames, kChunks));
}  // namespace ack

namespace write_chunk {
inline constexpr std::uint16_t kTracked = 1;
inline constexpr std::uint16_t kInline = 2;
inline constexpr U64 kSenderOp{0};
inline constexpr KeyField kKey{8};
inline constexpr U32 kBytes{24};
inline constexpr U16 kPieces{28};
inline constexpr std::size_t kFixedBytes = 30;
static_assert(packed(kFixedBytes, kSenderOp, kKey, kBytes, kPieces));
}  // namespace write_chunk

namespace reply_chunk {
inline constexpr std::uint16_t kInline = 1;
inline constexpr U64 kOp{0};
inline constexpr U64 kOffset{8};
inline constexpr U32 kBytes{16};
inline constexpr std::size_t kFixedBytes = 20;
static_assert(packed(kFixedBytes, kOp, kOffset, kBytes));
}  // namespace reply_chunk

namespace begin {
inline constexpr U64 kSenderOp{0};
inline constexpr U64 kTotal{8};
inline constexpr std::size_t kFixedBytes = 16;
static_assert(packed(kFixedBytes, kSenderOp, kTotal));
}  // namespace begin

namespace read_request {
inline constexpr U64 kSenderOp{0};
inline constexpr KeyField kKey{8};
inline constexpr U16 kPieces{24};
inline constexpr std::size_t kFixedBytes = 26;
static_assert(packed(kFixedBytes, kSenderOp, kKey, kPieces));
}  // namespace read_request

namespace send {
inline constexpr std::uint16_t kEager = 1;
inline constexpr U64 kSenderOp{0};
inline constexpr U64 kTag{8};
inline constexpr U64 kTotal{16};
inline constexpr std::size_t kFixedBytes = 24;
static_assert(packed(kFixedBytes, kSenderOp, kTag, kTotal));
}  // namespace send

namespace ready {
inline constexpr U64 kOp{0};
inline constexpr U64 kSenderOp{8};
inline constexpr std::size_t kFixedBytes = 16;
static_assert(packed(kFixedBytes, kOp, kSenderOp));
}  // namespace ready

namespace finished {
inline constexpr U64 kOp{0};
inline constexpr std::size_t kFixedBytes = 8;
static_assert(packed(kFixedBytes, kOp));
}  // namespace finished

namespace fault {
inline constexpr U64 kOp{0};
inline constexpr U16 kCode{8};  // its place in Code, counted from 1
inline constexpr std::size_t kFixedBytes = 10;
static_assert(packed(kFixedBytes, kOp, kCode));
inline constexpr std::uint16_t kCodes = 10;
static_assert(static_cast<int>(Code::invalid_argument) == 0 &&
              static_cast<int>(Code::unavailable) == 1 && static_cast<int>(Code::timeout) == 2 &&
              static_cast<int>(Code::peer) == 3 && static_cast<int>(Code::protocol) == 4 &&
              static_cast<int>(Code::data) == 5 && static_cast<int>(Code::plugin) == 6 &&
              static_cast<int>(Code::system) == 7 && static_cast<int>(Code::cancelled) == 8 &&
              static_cast<int>(Code::internal) == kCodes - 1);
}  // namespace fault

namespace stop {
inline constexpr U64 kSenderOp{0};
inline constexpr std::size_t kFixedBytes = 8;
static_assert(packed(kFixedBytes, kSenderOp));
}  // namespace stop

namespace withdraw {
inline constexpr U64 kSenderOp{0};
inline constexpr std::size_t kFixedBytes = 8;
static_assert(packed(kFixedBytes, kSenderOp));
}  // namespace withdraw

namespace channel_down {
inline constexpr U32 kChannel{0};
inline constexpr U32 kGeneration{4};
inline constexpr U64 kFrames{8};
inline constexpr U64 kChunks{16};
inline constexpr std::size_t kFixedBytes = 24;
static_assert(packed(kFixedBytes, kChannel, kGeneration, kFrames, kChunks));
}  // namespace channel_down

namespace channel_offer {
inline constexpr U32 kChannel{0};
inline constexpr U32 kGeneration{4};
inline constexpr Bytes<kHandleBytes> kHandle{8};
inline constexpr std::size_t kFixedBytes = 136;
static_assert(packed(kFixedBytes, kChannel, kGeneration, kHandle));
}  // namespace channel_offer

// Behind the fixed part of a Hello and of a Welcome: as many as it says.
namespace device {
inline constexpr U32 kSpeedMbps{0};
inline constexpr std::size_t kFixedBytes = 4;  // its name follows, a text
static_assert(packed(kFixedBytes, kSpeedMbps));
}  // namespace device

namespace hello {
inline constexpr KeyField kEngine{0};
inline constexpr U32 kChunkBytes{16};
inline constexpr U32 kChannelsPerDevice{20};
inline constexpr U16 kDevices{24};
inline constexpr std::size_t kFixedBytes = 26;
static_assert(packed(kFixedBytes, kEngine, kChunkBytes, kChannelsPerDevice, kDevices));
}  // namespace hello

namespace channel_plan {
inline constexpr U16 kClientDevice{0};
inline constexpr U16 kServerDevice{2};
inline constexpr std::size_t kFixedBytes = 4;
static_assert(packed(kFixedBytes, kClientDevice, kServerDevice));
}  // namespace channel_plan

namespace welcome {
inline constexpr KeyField kEngine{0};
inline constexpr KeyField kLink{16};
inline constexpr U32 kChunkBytes{32};
inline constexpr U16 kDevices{36};
inline constexpr U16 kChannels{38};
inline constexpr std::size_t kFixedBytes = 40;
static_assert(packed(kFixedBytes, kEngine, kLink, kChunkBytes, kDevices, kChannels));
}  // namespace welcome

namespace order {
inline constexpr U64 kNumber{0};
inline constexpr std::size_t kFixedBytes = 8;
static_assert(packed(kFixedBytes, kNumber));
}  // namespace order

namespace drain {
inline constexpr KeyField kKey{0};
inline constexpr std::size_t kFixedBytes = 16;
static_assert(packed(kFixedBytes, kKey));
}  // namespace drain

namespace left {
inline constexpr U32 kChannel{0};
inline constexpr U32 kGeneration{4};
inline constexpr std::size_t kFixedBytes = 8;
static_assert(packed(kFixedBytes, kChannel, kGeneration));
}  // namespace left

namespace drained {
inline constexpr KeyField kKey{0};
inline constexpr std::size_t kFixedBytes = 16;
static_assert(packed(kFixedBytes, kKey));
}  // namespace drained

// Each record fits into a frame of its own.
inline constexpr std::size_t kRoom = kFrameBytes - kFrameHeaderBytes - record::kHeaderBytes;
inline constexpr std::size_t kTextBytes = kTextLengthBytes + kMaxText;
inline constexpr std::size_t kDevicesBytes =
    kMaxDevices * (device::kFixedBytes + kTextLengthBytes + kMaxNameBytes);
static_assert(write_chunk::kFixedBytes + kMaxPieces * Pieces::kEncodedBytes + kMaxInlineBytes <=
              kRoom);
static_assert(begin::kFixedBytes + kMaxNotification <= kRoom);
static_assert(hello::kFixedBytes + 2 * kTextBytes + kDevicesBytes <= kRoom);
static_assert(welcome::kFixedBytes + kTextBytes + kDevicesBytes +
                  kMaxChannels * channel_plan::kFixedBytes <=
              kRoom);

}  // namespace hawser::engine::wire::layout
