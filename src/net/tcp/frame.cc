#include "net/tcp/frame.h"

#include <fmt/core.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>

#include "base/codec.h"

namespace hawser::tcp {
namespace {

// The whole of a frame's header.
struct HeaderFields {
  std::uint32_t magic = kFrameMagic;
  std::uint8_t version = kFrameVersion;
  FrameHeader said;
};

constexpr void fields(auto& io, codec::Of<HeaderFields> auto& header) {
  io.number("magic", header.magic);
  io.number("version", header.version);
  io.number("type", header.said.type);
  io.template zeros<2>();
  io.number("tag", header.said.tag);
  io.number("sequence", header.said.sequence);
  io.number("total", header.said.total);
  io.number("offset", header.said.offset);
  io.number("bytes", header.said.bytes);
  io.template zeros<22>();
}
static_assert(HAWSER_CODEC_BYTES(HeaderFields) == kHeaderBytes);

// Where a greeting's parts end, for check_greeting().
constexpr std::size_t kMagicEnd = 4;
constexpr std::size_t kVersionEnd = 5;
constexpr std::size_t kFlowBegin = 12;  // which flow, and how many
constexpr std::size_t kFlowEnd = 24;

Error protocol_error(std::string message) {
  return Error(Code::protocol, std::move(message));
}

Error wrong_magic(std::uint32_t magic) {
  return protocol_error(fmt::format("not a hawser frame: it starts with 0x{:08x}", magic));
}

Error wrong_version(std::uint8_t version) {
  return protocol_error(
      fmt::format("the peer speaks version {} of the data protocol, this side version {}: use the "
                  "same hawser on both",
                  version, kFrameVersion));
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

bool known_type(FrameType type) {
  return type >= FrameType::hello && type <= FrameType::flows;
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
  const HeaderFields whole{kFrameMagic, kFrameVersion, header};
  HeaderBytes bytes;
  codec::Encoder out(bytes.data());
  fields(out, whole);
  return bytes;
}

Result<FrameHeader> decode_header(std::span<const std::byte, kHeaderBytes> bytes) {
  HeaderFields header;
  codec::Decoder in("frame", bytes);
  fields(in, header);
  if (header.magic != kFrameMagic) return wrong_magic(header.magic);
  if (header.version != kFrameVersion) return wrong_version(header.version);
  const FrameHeader& said = header.said;
  const auto type = static_cast<unsigned>(said.type);
  if (!known_type(said.type)) return protocol_error(fmt::format("unknown frame type {}", type));
  if (const auto& error = in.finish()) return *error;
  if (good_fields(said)) return said;
  return protocol_error(fmt::format("a frame of type {} announces {} bytes at {} of {}", type,
                                    said.bytes, said.offset, said.total));
}

Result<DataState> decode_trailer(std::byte first) {
  const auto state = static_cast<DataState>(first);
  if (state == DataState::good || state == DataState::is_void) return state;
  return protocol_error(fmt::format("a trailer that begins with {}", std::to_integer<int>(first)));
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
  if (!same_part(have, expected, 0, kMagicEnd))
    return have.size() < kMagicEnd ? protocol_error("it does not speak hawser's data protocol")
                                   : wrong_magic(load_le<std::uint32_t>(have.data()));
  if (!same_part(have, expected, kMagicEnd, kVersionEnd))
    return wrong_version(load_le<std::uint8_t>(&have[kMagicEnd]));
  if (!same_part(have, expected, kVersionEnd, kFlowBegin) ||
      !same_part(have, expected, kFlowEnd, kHeaderBytes))
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
