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
constexpr std::size_t kReserved32At = 12;
constexpr std::size_t kLengthAt = 16;
static_assert(kLengthAt + sizeof(std::uint64_t) == kFrameBytes);

Error protocol_error(std::string message) {
  return Error(Code::protocol, std::move(message));
}

Status check_length(FrameType type, std::uint64_t bytes) {
  switch (type) {
    case FrameType::hello:
    case FrameType::welcome:
      if (bytes == kNonceBytes) return {};
      break;
    case FrameType::message:
      if (bytes <= kMaxMessageBytes) return {};
      break;
    case FrameType::abort:
      if (bytes <= kMaxAbortTextBytes) return {};
      break;
  }
  return protocol_error(
      fmt::format("a frame of type {} announces {} bytes", static_cast<unsigned>(type), bytes));
}

bool known_type(std::uint8_t type) {
  return type >= static_cast<std::uint8_t>(FrameType::hello) &&
         type <= static_cast<std::uint8_t>(FrameType::abort);
}

}  // namespace

FrameBytes encode_frame(const FrameHeader& header) {
  FrameBytes bytes{};
  store_le<std::uint32_t>(&bytes[kMagicAt], kFrameMagic);
  store_le<std::uint8_t>(&bytes[kVersionAt], kFrameVersion);
  store_le<std::uint8_t>(&bytes[kTypeAt], static_cast<std::uint8_t>(header.type));
  store_le<std::uint32_t>(&bytes[kTagAt], header.tag);
  store_le<std::uint64_t>(&bytes[kLengthAt], header.bytes);
  return bytes;
}

Result<FrameHeader> decode_frame(std::span<const std::byte, kFrameBytes> bytes) {
  if (const auto magic = load_le<std::uint32_t>(&bytes[kMagicAt]); magic != kFrameMagic)
    return protocol_error(fmt::format("not a hawser frame: it starts with 0x{:08x}", magic));
  if (const auto version = load_le<std::uint8_t>(&bytes[kVersionAt]); version != kFrameVersion)
    return protocol_error(
        fmt::format("the peer speaks version {} of the data protocol, this side version {}: "
                    "use the same hawser on both",
                    version, kFrameVersion));
  const auto type = load_le<std::uint8_t>(&bytes[kTypeAt]);
  if (!known_type(type)) return protocol_error(fmt::format("unknown frame type {}", type));
  if (load_le<std::uint16_t>(&bytes[kReserved16At]) != 0 ||
      load_le<std::uint32_t>(&bytes[kReserved32At]) != 0)
    return protocol_error("reserved bytes of a frame are not zero");
  FrameHeader header;
  header.type = static_cast<FrameType>(type);
  header.tag = load_le<std::uint32_t>(&bytes[kTagAt]);
  header.bytes = load_le<std::uint64_t>(&bytes[kLengthAt]);
  HAWSER_TRY(check_length(header.type, header.bytes));
  return header;
}

Greeting encode_greeting(FrameType type, const Nonce& nonce) {
  Greeting greeting{};
  const FrameBytes header = encode_frame({type, 0, kNonceBytes});
  std::copy(header.begin(), header.end(), greeting.begin());
  std::copy(nonce.begin(), nonce.end(), greeting.begin() + kFrameBytes);
  return greeting;
}

Result<Nonce> make_nonce() {
  Nonce nonce;
  if (getrandom(nonce.data(), nonce.size(), 0) != static_cast<ssize_t>(nonce.size()))
    return system_error(errno, "asking the kernel for random bytes");
  return nonce;
}

}  // namespace hawser::tcp
