// Frames of the engine, for tests: how they are made, what comes out of them, one record of each.
#pragma once

#include <string>
#include <vector>

#include "base/endian.h"
#include "engine/wire.h"
#include "support/wire_layout.h"

namespace hawser::test::engine_wire {

using namespace engine::wire;

// count bytes: first, first + 1 and so on.
std::vector<std::byte> numbered_bytes(std::size_t count, unsigned first = 0);
Key key_of(int byte);  // all of it

std::vector<std::byte> frame_of(const std::vector<Record>& records);
std::vector<std::byte> frame_of(const Record& record);

// All records of a frame, which they view.
Result<std::vector<Record>> records_of(const std::vector<std::byte>& frame);
// Why a frame is refused; empty: it is not. Expects Code::protocol.
std::string frame_error(const std::vector<std::byte>& frame);

// The frame of `record` with other bytes at a field of it, or one other byte anywhere.
template <class T>
std::vector<std::byte> altered_record(const Record& record, layout::Field<T> field, T value) {
  auto frame = frame_of(record);
  store_le(frame.data() + kFrameHeaderBytes + layout::record::kHeaderBytes + field.offset, value);
  return frame;
}
std::vector<std::byte> altered_byte(const Record& record, std::size_t offset, std::uint8_t value);

// Good records. What they view stays for ever.
std::span<const std::byte> sample_data();  // of 100 bytes
WriteChunk sample_write();                 // in two pieces, with its data
ReadRequest sample_read();
Hello sample_hello();
Welcome sample_welcome();
std::vector<Record> one_record_of_each();

}  // namespace hawser::test::engine_wire
