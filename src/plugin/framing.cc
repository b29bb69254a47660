#include "plugin/framing.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/endian.h"

namespace hawser::plugin {
namespace {

constexpr std::uint32_t kPreambleMagic = 0x504e5748;  // "HWNP" in the order of the bytes
constexpr std::uint32_t kVersion = 1;
enum Kind : std::uint32_t {
  kFrame = 0x464e5748,
  kOpening = 0x4f4e5748,
  kAnnouncement = 0x414e5748
};

void put_tag(std::byte* at, int tag) {
  store_le<std::uint32_t>(at, static_cast<std::uint32_t>(tag));
}
int get_tag(const std::byte* at) {
  return static_cast<int>(load_le<std::uint32_t>(at));
}

Error wrong(const char* what) {
  return Error(Code::protocol, fmt::format("the peer sent {}: does it use the same version of "
                                           "libnccl-net-hawser.so?",
                                           what));
}

Status check(std::span<const std::byte> bytes, std::size_t wanted, std::uint32_t kind,
             const char* what) {
  if (bytes.size() == wanted && load_le<std::uint32_t>(bytes.data()) == kind) return {};
  return wrong(what);
}

}  // namespace

void encode(const Preamble& from, std::span<std::byte, kPreambleBytes> to) {
  std::fill(to.begin(), to.end(), std::byte{0});
  store_le<std::uint32_t>(&to[0], kPreambleMagic);
  store_le<std::uint32_t>(&to[4], kVersion);
  put_tag(&to[8], from.stream_tag);
  std::copy(from.back_handle.begin(), from.back_handle.end(), &to[16]);
}

Result<Preamble> decode_preamble(std::span<const std::byte> bytes) {
  HAWSER_TRY(check(bytes, kPreambleBytes, kPreambleMagic, "no preamble of this plugin"));
  if (load_le<std::uint32_t>(&bytes[4]) != kVersion) return wrong("a preamble of another version");
  Preamble preamble;
  preamble.stream_tag = get_tag(&bytes[8]);
  std::copy_n(&bytes[16], kHandleBytes, preamble.back_handle.begin());
  return preamble;
}

void encode(const FrameHeader& from, std::span<std::byte, kFrameHeaderBytes> to) {
  store_le<std::uint32_t>(&to[0], kFrame);
  put_tag(&to[4], from.tag);
  store_le<std::uint64_t>(&to[8], from.bytes);
}

Result<FrameHeader> decode_frame_header(std::span<const std::byte> bytes) {
  HAWSER_TRY(check(bytes, kFrameHeaderBytes, kFrame, "something else than a message's header"));
  return FrameHeader{get_tag(&bytes[4]), load_le<std::uint64_t>(&bytes[8])};
}

void encode(const GateOpening& from, std::span<std::byte, kRecordBytes> to) {
  std::fill(to.begin(), to.end(), std::byte{0});
  store_le<std::uint32_t>(&to[0], kOpening);
  store_le<std::uint64_t>(&to[8], from.stream_receives);
  std::copy(from.marker.begin(), from.marker.end(), &to[16]);
}

Result<GateOpening> decode_gate_opening(std::span<const std::byte> bytes) {
  HAWSER_TRY(check(bytes, kRecordBytes, kOpening, "a back channel that does not open"));
  GateOpening opening;
  opening.stream_receives = load_le<std::uint64_t>(&bytes[8]);
  std::copy_n(&bytes[16], kMarkerBytes, opening.marker.begin());
  return opening;
}

void encode(const Announcement& from, std::span<std::byte, kRecordBytes> to) {
  store_le<std::uint32_t>(&to[0], kAnnouncement);
  store_le<std::uint32_t>(&to[4], static_cast<std::uint32_t>(from.count));
  for (std::size_t i = 0; i < from.tags.size(); ++i) put_tag(&to[8 + 4 * i], from.tags[i]);
}

Result<Announcement> decode_announcement(std::span<const std::byte> bytes) {
  HAWSER_TRY(check(bytes, kRecordBytes, kAnnouncement, "no announcement of a receive"));
  const auto count = load_le<std::uint32_t>(&bytes[4]);
  if (count < 1 || count > static_cast<std::uint32_t>(kMaxReceives))
    return wrong("a receive of an impossible number of buffers");
  Announcement announcement;
  announcement.count = static_cast<int>(count);
  for (std::size_t i = 0; i < announcement.tags.size(); ++i)
    announcement.tags[i] = get_tag(&bytes[8 + 4 * i]);
  return announcement;
}

}  // namespace hawser::plugin
