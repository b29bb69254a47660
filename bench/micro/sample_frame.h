// One ordinary data frame, encoded and decoded. All that micro_benchmarks knows of the frame's
// fields and of the codec's signatures: when those change, change it here.
#pragma once

#include <cstdint>

#include "net/tcp/frame.h"

namespace hawser::bench {

inline tcp::FrameHeader sample_frame(std::uint64_t bytes) {
  tcp::FrameHeader header;
  header.type = tcp::FrameType::piece;
  header.tag = 7;
  header.total = header.bytes = bytes;
  return header;
}

inline auto encode(const tcp::FrameHeader& header) {
  return tcp::encode_header(header);
}

// 0: it was refused.
template <class Encoded>
std::uint64_t decoded_bytes(const Encoded& encoded) {
  const auto header = tcp::decode_header(encoded);
  return header.ok() ? header->bytes : 0;
}

}  // namespace hawser::bench
