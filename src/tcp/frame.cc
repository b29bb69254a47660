#include "tcp/frame.h"

#include <fmt/core.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>

#include "base/endian.h"

namespace hawser::tcp {
namespace {

// Offsets of the fields; the gaps are reserved and zero.
constexpr std::size_t kMagicAt = 0;
constexpr std::size_t kVersionAt = 4;
constexpr std::size_t kTypeAt = 5;
constexpr std::size_t kReserved16At = 6;
constexpr std::size_t kTagAt = 8;
constexpr std::size_t kSequenceAt = 12;
constexpr std::size_t kTotalAt = 16;
constexpr std::size_t kOffsetAt = 24;
constexpr std::size_t kBytesAt = 32;
constexpr std::size_t kReservedAt = 40;  // to the end

Error protocol_error(std::string message) {
  return Error(Code::protocol, std::move(message));
}

Error wrong_magic(std::span<const std::byte> bytes) {
  return protocol_error(fmt::format("not a hawser frame: it starts with 0x{:08x}",
                                    load_le<std::uint32_t>(&bytes[kMagicAt])));
}

Error wrong_version(std::span<const std::byte> bytes) {
  return protocol_error(
      fmt::format("the peer speaks version {} of the data protocol, this side version {}: use the "
                  "same hawser on both",
                  load_le<std::uint8_t>(&bytes[kVersionAt]), kFrameVersion));
}

bool good_flow_count(std::uint64_t flows) {
  return flows >= 1 && flows <= kMaxFlows;
}

// An empty message is one empty piece; of any other message no piece is empty.
bool good_piece(const FrameHeader& header) {
  if (header.total > kMaxMessageBytes || header.offset > header.total) return false;
  if (header.bytes > header.total - header.offset) return false;
  return (header.bytes == 0) == (header.total == 0);
}

bool good_fields(const FrameHeader& header) {
  switch (header.type) {
    case FrameType::hello:
    case FrameType::welcome:
      return header.tag == 0 && header.sequence < kMaxFlows && good_flow_count(header.total) &&
             header.offset == 0 && header.bytes == kNonceBytes;
    case FrameType::piece:
      return good_piece(header);
    case FrameType::abort:
      return header.tag == 0 && header.sequence == 0 && header.total == 0 && header.offset == 0 &&
             header.bytes <= kMaxAbortTextBytes;
    case FrameType::flows:
      return header.tag == 0 && header.sequence == 0 && good_flow_count(header.total) &&
             header.offset == 0 && header.bytes == 0;
  }
  return false;
}

bool known_type(std::uint8_t type) {
  return type >= static_cast<std::uint8_t>(FrameType::hello) &&
         type <= static_cast<std::uint8_t>(FrameType::flows);
}

bool all_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

// Whether the part of `have` that lies at `from` is how `expected` begins there.
bool same_part(std::span<const std::byte> have, const Greeting& expected, std::size_t from,
               std::size_t to) {
  const std::size_t end = std::min(have.size(), to);
  return from >= end || std::equal(have.begin() + static_cast<std::ptrdiff_t>(from),
                                   have.begin() + static_cast<std::ptrdiff_t>(end),
                                   expected.begin() + static_cast<std::ptrdiff_t>(from));
}

}  // namespace

HeaderBytes encode_header(const FrameHeader& header) {
  HeaderBytes bytes{};
  store_le<std::uint32_t>(&bytes[kMagicAt], kFrameMagic);
  store_le<std::uint8_t>(&bytes[kVersionAt], kFrameVersion);
  store_le<std::uint8_t>(&bytes[kTypeAt], static_cast<std::uint8_t>(header.type));
  store_le<std::uint32_t>(&bytes[kTagAt], header.tag);
  store_le<std::uint32_t>(&bytes[kSequenceAt], header.sequence);
  store_le<std::uint64_t>(&bytes[kTotalAt], header.total);
  store_le<std::uint64_t>(&bytes[kOffsetAt], header.offset);
  store_le<std::uint64_t>(&bytes[kBytesAt], header.bytes);
  return bytes;
}

Result<FrameHeader> decode_header(std::span<const std::byte, kHeaderBytes> bytes) {
  if (load_le<std::uint32_t>(&bytes[kMagicAt]) != kFrameMagic) return wrong_magic(bytes);
  if (load_le<std::uint8_t>(&bytes[kVersionAt]) != kFrameVersion) return wrong_version(bytes);
  const auto type = load_le<std::uint8_t>(&bytes[kTypeAt]);
  if (!known_type(type)) return protocol_error(fmt::format("unknown frame type {}", type));
  if (load_le<std::uint16_t>(&bytes[kReserved16At]) != 0 || !all_zero(bytes.subspan(kReservedAt)))
    return protocol_error("reserved bytes of a frame are not zero");
  FrameHeader header;
  header.type = static_cast<FrameType>(type);
  header.tag = load_le<std::uint32_t>(&bytes[kTagAt]);
  header.sequence = load_le<std::uint32_t>(&bytes[kSequenceAt]);
  header.total = load_le<std::uint64_t>(&bytes[kTotalAt]);
  header.offset = load_le<std::uint64_t>(&bytes[kOffsetAt]);
  header.bytes = load_le<std::uint64_t>(&bytes[kBytesAt]);
  if (good_fields(header)) return header;
  return protocol_error(fmt::format("a frame of type {} announces {} bytes at {} of {}", type,
                                    header.bytes, header.offset, header.total));
}

Greeting encode_greeting(FrameType type, const Nonce& nonce, unsigned flow, unsigned flows) {
  Greeting greeting{};
  const HeaderBytes header = encode_header({type, 0, flow, flows, 0, kNonceBytes});
  std::copy(header.begin(), header.end(), greeting.begin());
  std::copy(nonce.begin(), nonce.end(), greeting.begin() + kHeaderBytes);
  return greeting;
}

Status check_greeting(std::span<const std::byte> have, FrameType type, const Nonce& nonce) {
  const Greeting expected = encode_greeting(type, nonce);
  if (!same_part(have, expected, kMagicAt, kVersionAt))
    return have.size() < kVersionAt ? protocol_error("it does not speak hawser's data protocol")
                                    : wrong_magic(have);
  if (!same_part(have, expected, kVersionAt, kTypeAt)) return wrong_version(have);
  if (!same_part(have, expected, kTypeAt, kSequenceAt) ||
      !same_part(have, expected, kOffsetAt, kHeaderBytes))
    return protocol_error(type == FrameType::hello ? "it says no hello"
                                                   : "the answer to the hello is no welcome");
  if (!same_part(have, expected, kHeaderBytes, kGreetingBytes))
    return protocol_error("it does not know this listener's nonce");
  if (have.size() < kGreetingBytes) return {};
  const auto header = decode_header(have.first<kHeaderBytes>());
  return header.ok() ? Status() : header.error();
}

Result<Nonce> make_nonce() {
  Nonce nonce;
  if (getrandom(nonce.data(), nonce.size(), 0) != static_cast<ssize_t>(nonce.size()))
    return system_error(errno, "asking the kernel for random bytes");
  return nonce;
}

}  // namespace hawser::tcp
