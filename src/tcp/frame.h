// The bytes on a data connection; docs/wire-protocol.md specifies them, this file mirrors it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"

namespace hawser::tcp {

inline constexpr std::uint32_t kFrameMagic = 0x46545748;  // "HWTF" in the order of the bytes
inline constexpr std::uint8_t kFrameVersion = 1;
inline constexpr std::size_t kFrameBytes = 24;
inline constexpr std::size_t kNonceBytes = 16;
inline constexpr std::size_t kGreetingBytes = kFrameBytes + kNonceBytes;
inline constexpr std::size_t kMaxAbortTextBytes = 256;
inline constexpr std::uint64_t kMaxMessageBytes = std::uint64_t{1} << 40;

enum class FrameType : std::uint8_t { hello = 1, welcome = 2, message = 3, abort = 4 };

// What a frame's first kFrameBytes say. `bytes` follow it.
struct FrameHeader {
  FrameType type = FrameType::message;
  std::uint32_t tag = 0;
  std::uint64_t bytes = 0;
};

using FrameBytes = std::array<std::byte, kFrameBytes>;
using Nonce = std::array<std::byte, kNonceBytes>;
using Greeting = std::array<std::byte, kGreetingBytes>;

FrameBytes encode_frame(const FrameHeader& header);

// Code::protocol unless every field is what a correct peer sends.
Result<FrameHeader> decode_frame(std::span<const std::byte, kFrameBytes> bytes);

// A hello or a welcome, whole.
Greeting encode_greeting(FrameType type, const Nonce& nonce);

// Unguessable, from the kernel.
Result<Nonce> make_nonce();

}  // namespace hawser::tcp
