#include "nccl/framing.h"

#include <fmt/core.h>

#include "base/codec.h"

namespace hawser::plugin {
namespace {

using codec::Of;

constexpr std::uint32_t kVersion = 1;

// What each message begins with, its letters in the order of the bytes.
template <class T>
constexpr std::uint32_t kKind = 0;
template <>
constexpr std::uint32_t kKind<Preamble> = 0x504e5748;  // "HWNP"
template <>
constexpr std::uint32_t kKind<FrameHeader> = 0x464e5748;
template <>
constexpr std::uint32_t kKind<GateOpening> = 0x4f4e5748;
template <>
constexpr std::uint32_t kKind<Announcement> = 0x414e5748;

constexpr void fields(auto& io, Of<Preamble> auto& preamble) {
  std::uint32_t version = kVersion;
  io.number("version", version, kVersion, kVersion);
  io.number("stream_tag", preamble.stream_tag);
  io.template skip<4>();
  io.array("back_handle", preamble.back_handle);
}

constexpr void fields(auto& io, Of<FrameHeader> auto& header) {
  io.number("tag", header.tag);
  io.number("bytes", header.bytes);
}

constexpr void fields(auto& io, Of<GateOpening> auto& opening) {
  io.template skip<4>();
  io.number("stream_receives", opening.stream_receives);
  io.array("marker", opening.marker);
  io.template skip<8>();
}

constexpr void fields(auto& io, Of<Announcement> auto& announcement) {
  io.number("count", announcement.count, 1, kMaxReceives);
  for (auto& tag : announcement.tags) io.number("tag", tag);
}

constexpr std::size_t kKindBytes = 4;
static_assert(kKindBytes + HAWSER_CODEC_BYTES(Preamble) == kPreambleBytes);
static_assert(kKindBytes + HAWSER_CODEC_BYTES(FrameHeader) == kFrameHeaderBytes);
static_assert(kKindBytes + HAWSER_CODEC_BYTES(GateOpening) == kRecordBytes);
static_assert(kKindBytes + HAWSER_CODEC_BYTES(Announcement) == kRecordBytes);

Error wrong(std::string_view what) {
  return Error(Code::protocol, fmt::format("the peer sent {}: does it use the same version of "
                                           "libnccl-net-hawser.so?",
                                           what));
}

template <class T>
void write(const T& from, std::byte* to) {
  codec::Encoder out(to);
  out.number("kind", kKind<T>);
  fields(out, from);
}

// `otherwise`: what the bytes are where they are no T.
template <class T>
Result<T> read(const char* name, std::span<const std::byte> bytes, const char* otherwise) {
  T read;
  std::uint32_t kind = 0;
  codec::Decoder in(name, bytes);
  in.number("kind", kind);
  if (in.good() && kind != kKind<T>) return wrong(otherwise);
  fields(in, read);
  if (const auto& error = in.finish()) return wrong(error->message());
  return read;
}

}  // namespace

void encode(const Preamble& from, std::span<std::byte, kPreambleBytes> to) {
  write(from, to.data());
}

Result<Preamble> decode_preamble(std::span<const std::byte> bytes) {
  return read<Preamble>("preamble", bytes, "no preamble of this plugin");
}

void encode(const FrameHeader& from, std::span<std::byte, kFrameHeaderBytes> to) {
  write(from, to.data());
}

Result<FrameHeader> decode_frame_header(std::span<const std::byte> bytes) {
  return read<FrameHeader>("message's header", bytes, "something else than a message's header");
}

void encode(const GateOpening& from, std::span<std::byte, kRecordBytes> to) {
  write(from, to.data());
}

Result<GateOpening> decode_gate_opening(std::span<const std::byte> bytes) {
  return read<GateOpening>("back channel's opening", bytes, "a back channel that does not open");
}

void encode(const Announcement& from, std::span<std::byte, kRecordBytes> to) {
  write(from, to.data());
}

Result<Announcement> decode_announcement(std::span<const std::byte> bytes) {
  return read<Announcement>("receive's announcement", bytes, "no announcement of a receive");
}

}  // namespace hawser::plugin
