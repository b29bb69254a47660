// The bytes on a data connection; docs/wire-protocol.md specifies them, this file mirrors it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"

namespace hawser::tcp {

inline constexpr std::uint32_t kFrameMagic = 0x46545748;  // "HWTF" in the order of the bytes
inline constexpr std::uint8_t kFrameVersion = 3;
inline constexpr std::size_t kHeaderBytes = 62;
// A frame is a header, its data, and a trailer of 2 to kFrameUnit + 1 bytes that makes the whole a
// multiple of kFrameUnit, and whose first byte says whether the data are good. So data keeps its
// alignment on its way through the kernel's buffers, which is worth a tenth of the speed; and a
// receiver can have a message whole and yet leave something in the socket: a kernel whose socket is
// read empty answers with an acknowledgement at once, in the reader's time, which is a third of a
// small message's latency (docs/performance.md).
inline constexpr std::size_t kFrameUnit = 64;
inline constexpr std::size_t kMaxTrailerBytes = kFrameUnit + 1;
inline constexpr std::size_t kNonceBytes = 16;
inline constexpr std::size_t kGreetingBytes = 2 * kFrameUnit;  // a frame, trailer included
inline constexpr std::size_t kMaxAbortTextBytes = 256;
inline constexpr std::uint64_t kMaxMessageBytes = std::uint64_t{1} << 40;
inline constexpr unsigned kMaxFlows = 64;  // sockets of one connection

enum class FrameType : std::uint8_t { hello = 1, welcome = 2, piece = 3, abort = 4, flows = 5 };

// What a frame's first kHeaderBytes say. `bytes` of data follow it.
struct FrameHeader {
  FrameType type = FrameType::piece;
  std::uint32_t tag = 0;       // of the message, for error messages only
  std::uint32_t sequence = 0;  // piece: which message, counted from 0; greetings: which flow
  std::uint64_t total = 0;     // piece: the message's bytes; greetings and flows: so many flows
  std::uint64_t offset = 0;    // piece: where in the message it belongs
  std::uint64_t bytes = 0;

  bool operator==(const FrameHeader&) const = default;
};

constexpr std::size_t trailer_bytes(std::uint64_t data_bytes) {
  return kFrameUnit - kHeaderBytes +
         static_cast<std::size_t>((kFrameUnit - data_bytes % kFrameUnit) % kFrameUnit);
}
constexpr std::uint64_t frame_bytes(std::uint64_t data_bytes) {
  return kHeaderBytes + data_bytes + trailer_bytes(data_bytes);
}
static_assert(frame_bytes(kNonceBytes) == kGreetingBytes);

// The first byte of a trailer. Void: the sender's memory was not there, the data are anything.
enum class DataState : std::uint8_t { good = 0, is_void = 1 };

using HeaderBytes = std::array<std::byte, kHeaderBytes>;
using Nonce = std::array<std::byte, kNonceBytes>;
using Greeting = std::array<std::byte, kGreetingBytes>;

HeaderBytes encode_header(const FrameHeader& header);

// Code::protocol unless every field is what a correct peer sends.
Result<FrameHeader> decode_header(std::span<const std::byte, kHeaderBytes> bytes);

// Code::protocol: neither.
Result<DataState> decode_trailer(std::byte first);

// A hello or a welcome, whole: for which flow, and how many flows are wished for or granted.
Greeting encode_greeting(FrameType type, const Nonce& nonce, unsigned flow = 0, unsigned flows = 1);
// Code::protocol, and what is wrong, unless the bytes may be the beginning of a greeting of that
// type and nonce, or are the whole of it.
Status check_greeting(std::span<const std::byte> have, FrameType type, const Nonce& nonce);

// Unguessable, from the kernel.
Result<Nonce> make_nonce();

}  // namespace hawser::tcp
