// What the two sides of a comm tell each other besides NCCL's messages; docs/nccl-plugin.md, "On
// the wire", specifies it and this file mirrors it. All numbers are little endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "nccl/comm.h"
#include "net/net.h"

namespace hawser::plugin {

inline constexpr std::size_t kPreambleBytes = 16 + kHandleBytes;
inline constexpr std::size_t kMarkerBytes = 16;
inline constexpr std::size_t kFrameHeaderBytes = 16;
inline constexpr std::size_t kRecordBytes = 40;

// The first message of every comm, sent with its first send.
struct Preamble {
  int stream_tag = 0;    // of every message until the receiver asks for framed ones
  Handle back_handle{};  // where the sender listens for the back channel
};

// Unguessable, of the receiver's making: the message of these bytes ends the stream.
using Marker = std::array<std::byte, kMarkerBytes>;

// Before each framed message.
struct FrameHeader {
  int tag = 0;
  std::uint64_t bytes = 0;

  bool operator==(const FrameHeader&) const = default;
};

// On the back channel. The first record opens the gate, the others each announce one receive.
struct GateOpening {
  Marker marker{};
  std::uint64_t stream_receives = 0;  // so many stream messages have receives of their own
};
struct Announcement {
  int count = 0;
  std::array<int, kMaxReceives> tags{};
};

using PreambleBytes = std::array<std::byte, kPreambleBytes>;
using FrameHeaderBytes = std::array<std::byte, kFrameHeaderBytes>;
using RecordBytes = std::array<std::byte, kRecordBytes>;

void encode(const Preamble& from, std::span<std::byte, kPreambleBytes> to);
void encode(const FrameHeader& from, std::span<std::byte, kFrameHeaderBytes> to);
void encode(const GateOpening& from, std::span<std::byte, kRecordBytes> to);
void encode(const Announcement& from, std::span<std::byte, kRecordBytes> to);

// Code::protocol unless it is what a correct peer sends.
Result<Preamble> decode_preamble(std::span<const std::byte> bytes);
Result<FrameHeader> decode_frame_header(std::span<const std::byte> bytes);
Result<GateOpening> decode_gate_opening(std::span<const std::byte> bytes);
Result<Announcement> decode_announcement(std::span<const std::byte> bytes);

}  // namespace hawser::plugin
