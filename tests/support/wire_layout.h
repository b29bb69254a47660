// Where the tests of the wire formats change bytes: the fields' offsets as docs/wire-protocol.md
// and docs/engine-protocol.md have them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hawser::wire::layout {

// A field of a payload: a little-endian unsigned integer, or an array of bytes.
template <class T>
struct Field {
  std::size_t offset;
};
using U8 = Field<std::uint8_t>;
using U16 = Field<std::uint16_t>;
using U32 = Field<std::uint32_t>;
using U64 = Field<std::uint64_t>;

namespace header {
inline constexpr U32 kPayloadBytes{8};
}

namespace hello {
inline constexpr U32 kGpu{0}, kTargetGpu{4}, kChannels{8};
inline constexpr U8 kMemory{12}, kPurpose{13}, kReserved{14};
inline constexpr U64 kBytes{16}, kMaxRequestBytes{24};
}  // namespace hello

namespace plan {
inline constexpr U32 kGpu{0}, kChannels{4}, kIterations{8}, kTimeoutMs{12};
inline constexpr U64 kBytes{16}, kChunkBytes{24};
inline constexpr U8 kSerializeCreate{40}, kReserved{41};
}  // namespace plan

namespace handle_offer {
inline constexpr U32 kChannel{4};
}

namespace channel_status {
inline constexpr U32 kChannel{4};
inline constexpr U8 kStage{8}, kOk{9}, kOperation{10}, kKind{11};
}  // namespace channel_status

namespace pass_done {
inline constexpr U8 kCreated{4}, kCanGoOn{5};
}

namespace perf_setup {
inline constexpr U32 kWindow{0}, kBareSockets{4};
inline constexpr U64 kRingBytes{8};
inline constexpr U8 kIdle{16};
}  // namespace perf_setup

namespace perf_bare {
inline constexpr U16 kPort{8};
}

namespace perf_step {
inline constexpr U32 kId{0};
inline constexpr U8 kKind{4}, kBidirectional{5};
inline constexpr U64 kBytes{8}, kWarmup{16}, kMessages{24};
}  // namespace perf_step

namespace perf_result {
inline constexpr U32 kId{0};
inline constexpr U8 kOk{4};
}  // namespace perf_result

}  // namespace hawser::wire::layout

namespace hawser::engine::wire::layout {

using hawser::wire::layout::Field;
using hawser::wire::layout::U16;
using hawser::wire::layout::U32;
using hawser::wire::layout::U64;
using hawser::wire::layout::U8;
inline constexpr std::size_t kTextLengthBytes = 2;

namespace frame {
inline constexpr U16 kVersionField{4}, kRecords{6};
inline constexpr U32 kLength{8};
}  // namespace frame

namespace record {
inline constexpr U16 kType{0}, kFlags{2};
inline constexpr U32 kLength{4};
inline constexpr std::size_t kHeaderBytes = 8;
}  // namespace record

namespace write_chunk {
inline constexpr U32 kBytes{24};
inline constexpr U16 kPieces{28};
inline constexpr std::size_t kFixedBytes = 30;
}  // namespace write_chunk

namespace fault {
inline constexpr U16 kCode{8};
}

namespace hello {
inline constexpr U32 kChunkBytes{16}, kChannelsPerDevice{20};
inline constexpr U16 kDevices{24};
inline constexpr std::size_t kFixedBytes = 26;
}  // namespace hello

namespace welcome {
inline constexpr U32 kChunkBytes{32};
inline constexpr U16 kDevices{36}, kChannels{38};
}  // namespace welcome

}  // namespace hawser::engine::wire::layout
