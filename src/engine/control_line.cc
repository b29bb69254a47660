#include "engine/control_line.h"

#include <array>
#include <vector>

namespace hawser::engine {
namespace {

Result<std::size_t> length_of_frame(std::span<const std::byte> header) {
  return wire::frame_length(header.first<wire::kFrameHeaderBytes>());
}

std::vector<std::byte> refusal_frame(std::string_view reason) {
  return frame_of(wire::Refuse{reason});
}

}  // namespace

const control::Protocol kControlProtocol{wire::kMagic, wire::kFrameHeaderBytes, &length_of_frame,
                                         &refusal_frame};

std::vector<std::byte> frame_of(const wire::Record& record) {
  std::array<std::byte, wire::kFrameBytes> buffer;
  wire::FrameBuilder builder(buffer);
  builder.add(record);
  const std::span<const std::byte> frame = builder.finish();
  return {frame.begin(), frame.end()};
}

Status read_records(std::span<const std::byte> frame,
                    const std::function<Status(const wire::Record&)>& take) {
  HAWSER_ASSIGN(wire::FrameReader reader, wire::FrameReader::open(frame));
  while (true) {
    HAWSER_ASSIGN(const std::optional<wire::Record> record, reader.next());
    if (!record) return {};
    HAWSER_TRY(take(*record));
  }
}

void ControlLine::send(const wire::Record& record) {
  line_->send(frame_of(record));
}

Status ControlLine::read(const std::function<Status(const wire::Record&)>& take) {
  return line_->read([&](std::span<const std::byte> frame) { return read_records(frame, take); });
}

}  // namespace hawser::engine
