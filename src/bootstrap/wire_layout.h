// Where each field stands in its payload. Mirrors the tables of docs/wire-protocol.md; a change
// here is another protocol version.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "bootstrap/wire.h"

namespace hawser::wire::layout {

// A field of a payload: a little-endian unsigned integer, or an array of bytes.
template <class T>
struct Field {
  std::size_t offset;
  constexpr std::size_t end() const { return offset + sizeof(T); }
};
using U8 = Field<std::uint8_t>;
using U16 = Field<std::uint16_t>;
using U32 = Field<std::uint32_t>;
using U64 = Field<std::uint64_t>;
template <std::size_t N>
using Bytes = Field<std::array<std::byte, N>>;

// Whether the fields follow each other without a gap and fill `bytes`.
template <class... Fields>
constexpr bool packed(std::size_t bytes, Fields... fields) {
  std::size_t at = 0;
  const bool adjoining = ((fields.offset == at && (at = fields.end()) != 0) && ...);
  return adjoining && at == bytes;
}

namespace header {
inline constexpr U32 kMagicField{0};
inline constexpr U16 kVersionField{4};
inline constexpr U16 kType{6};
inline constexpr U32 kPayloadBytes{8};
inline constexpr U32 kReserved{12};
static_assert(packed(kHeaderBytes, kMagicField, kVersionField, kType, kPayloadBytes, kReserved));
}  // namespace header

// A payload is its fixed part and, for some messages, one text behind it: a u16 of its length in
// bytes and the bytes.
inline constexpr std::size_t kTextLengthBytes = 2;

namespace hello {
inline constexpr U32 kGpu{0};
inline constexpr U32 kTargetGpu{4};
inline constexpr U32 kChannels{8};
inline constexpr U8 kMemory{12};
inline constexpr U8 kPurpose{13};
inline constexpr Bytes<2> kReserved{14};
inline constexpr U64 kBytes{16};
inline constexpr U64 kMaxRequestBytes{24};
inline constexpr std::size_t kFixedBytes = 32;
static_assert(packed(kFixedBytes, kGpu, kTargetGpu, kChannels, kMemory, kPurpose, kReserved, kBytes,
                     kMaxRequestBytes));
}  // namespace hello

namespace plan {
inline constexpr U32 kGpu{0};
inline constexpr U32 kChannels{4};
inline constexpr U32 kIterations{8};
inline constexpr U32 kTimeoutMs{12};
inline constexpr U64 kBytes{16};
inline constexpr U64 kChunkBytes{24};
inline constexpr U64 kSeed{32};
inline constexpr U8 kSerializeCreate{40};
inline constexpr Bytes<7> kReserved{41};
inline constexpr std::size_t kFixedBytes = 48;
static_assert(packed(kFixedBytes, kGpu, kChannels, kIterations, kTimeoutMs, kBytes, kChunkBytes,
                     kSeed, kSerializeCreate, kReserved));
}  // namespace plan

namespace refuse {
inline constexpr std::size_t kFixedBytes = 0;
}  // namespace refuse

namespace handle_offer {
inline constexpr U32 kPass{0};
inline constexpr U32 kChannel{4};
inline constexpr Bytes<kHandleBytes> kHandle{8};
inline constexpr std::size_t kFixedBytes = 136;
static_assert(packed(kFixedBytes, kPass, kChannel, kHandle));
}  // namespace handle_offer

namespace channel_status {
inline constexpr std::uint8_t kOperations = 8;
inline constexpr std::uint8_t kKinds = 10;  // a Code, as src/base has them
inline constexpr U32 kPass{0};
inline constexpr U32 kChannel{4};
inline constexpr U8 kStage{8};
inline constexpr U8 kOk{9};
inline constexpr U8 kOperation{10};
inline constexpr U8 kKind{11};
inline constexpr std::size_t kFixedBytes = 12;
static_assert(packed(kFixedBytes, kPass, kChannel, kStage, kOk, kOperation, kKind));
static_assert(static_cast<int>(Operation::listen) == 1 &&
              static_cast<int>(Operation::stuck) == kOperations);
static_assert(static_cast<int>(Code::invalid_argument) == 0 &&
              static_cast<int>(Code::internal) == kKinds - 1);
}  // namespace channel_status

namespace pass_done {
inline constexpr U32 kPass{0};
inline constexpr U8 kCreated{4};
inline constexpr U8 kCanGoOn{5};
inline constexpr Bytes<2> kReserved{6};
inline constexpr std::size_t kFixedBytes = 8;
static_assert(packed(kFixedBytes, kPass, kCreated, kCanGoOn, kReserved));
}  // namespace pass_done

namespace barrier {
inline constexpr U32 kId{0};
inline constexpr std::size_t kFixedBytes = 4;
static_assert(packed(kFixedBytes, kId));
}  // namespace barrier

namespace perf_setup {
inline constexpr U32 kWindow{0};
inline constexpr U32 kBareSockets{4};
inline constexpr U64 kRingBytes{8};
inline constexpr U8 kIdle{16};
inline constexpr Bytes<7> kReserved{17};
inline constexpr std::size_t kFixedBytes = 24;
static_assert(packed(kFixedBytes, kWindow, kBareSockets, kRingBytes, kIdle, kReserved));
}  // namespace perf_setup

namespace perf_host {
inline constexpr std::size_t kFixedBytes = 0;
}  // namespace perf_host

namespace perf_bare {
inline constexpr U64 kNonce{0};
inline constexpr U16 kPort{8};
inline constexpr Bytes<6> kReserved{10};
inline constexpr std::size_t kFixedBytes = 16;
static_assert(packed(kFixedBytes, kNonce, kPort, kReserved));
}  // namespace perf_bare

namespace perf_step {
inline constexpr U32 kId{0};
inline constexpr U8 kKind{4};
inline constexpr U8 kBidirectional{5};
inline constexpr Bytes<2> kReserved{6};
inline constexpr U64 kBytes{8};
inline constexpr U64 kWarmup{16};
inline constexpr U64 kMessages{24};
inline constexpr std::size_t kFixedBytes = 32;
static_assert(packed(kFixedBytes, kId, kKind, kBidirectional, kReserved, kBytes, kWarmup,
                     kMessages));
}  // namespace perf_step

namespace perf_result {
inline constexpr U32 kId{0};
inline constexpr U8 kOk{4};
inline constexpr Bytes<3> kReserved{5};
inline constexpr U64 kElapsedNs{8};
inline constexpr U64 kCpuNs{16};
inline constexpr std::size_t kFixedBytes = 24;
static_assert(packed(kFixedBytes, kId, kOk, kReserved, kElapsedNs, kCpuNs));
}  // namespace perf_result

static_assert(plan::kFixedBytes + kTextLengthBytes + kMaxTextBytes <= kMaxPayloadBytes);
static_assert(handle_offer::kFixedBytes <= kMaxPayloadBytes);

}  // namespace hawser::wire::layout
