// The control plane's messages and their bytes. docs/wire-protocol.md is the
// specification; this file mirrors it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"

namespace hawser::wire {

inline constexpr std::uint32_t kMagic = 0x52535748;  // "HWSR" in the order of the bytes
inline constexpr std::uint16_t kVersion = 1;
inline constexpr std::size_t kHeaderBytes = 16;
inline constexpr std::size_t kMaxPayloadBytes = 4096;
inline constexpr std::size_t kMaxTextBytes = 1024;
inline constexpr std::uint32_t kMaxChannels = 1024;
inline constexpr std::size_t kHandleBytes = 128;

// client → server, first: who I am and what I can do.
struct Hello {
  std::uint32_t gpu = 0;         // the client's
  std::uint32_t target_gpu = 0;  // the one the client wants to talk to
  std::uint32_t channels = 0;    // wanted; 0 = as the server says
  std::uint64_t bytes = 0;       // wanted per channel; 0 = as the server says
  std::uint64_t max_request_bytes = 0;
  std::uint8_t memory = 0;       // 1 host, 2 cuda
  std::string transport;         // Net::name()
};

// server → client, in answer: what both will do. The client uses these numbers.
struct Plan {
  std::uint32_t gpu = 0;  // the server's
  std::uint32_t channels = 0;
  std::uint32_t iterations = 0;
  std::uint32_t timeout_ms = 0;
  std::uint64_t bytes = 0;  // per channel and iteration
  std::uint64_t chunk_bytes = 0;
  std::uint64_t seed = 0;   // of this run's data pattern
  bool serialize_create = false;
  std::string transport;
};

// Either way, instead of the expected answer, or at any time: no, and why. Ends the session.
struct Refuse {
  std::string reason;
};

// server → client: connect channel `channel` of pass `pass` with this.
struct HandleOffer {
  std::uint32_t pass = 0;
  std::uint32_t channel = 0;
  std::vector<std::byte> handle;  // exactly kHandleBytes
};

// What became of a channel at a stage, for the other side to know.
enum class Stage : std::uint8_t { created = 1, transferred = 2, closed = 3 };
struct ChannelStatus {
  std::uint32_t pass = 0;
  std::uint32_t channel = 0;
  Stage stage = Stage::created;
  bool ok = false;
  std::string reason;  // where not ok
};

// "I am here"; both sides send it and go on when they have the other's.
struct Barrier {
  std::uint32_t id = 0;
};

struct Heartbeat {};

using Message = std::variant<Hello, Plan, Refuse, HandleOffer, ChannelStatus, Barrier, Heartbeat>;

std::vector<std::byte> encode(const Message& message);

// What a header announces. Code::protocol where magic, version, type or length is wrong.
struct Header {
  std::uint16_t type = 0;
  std::uint32_t payload_bytes = 0;
};
Result<Header> decode_header(std::span<const std::byte, kHeaderBytes> bytes);
// The whole payload and nothing but it; every field checked.
Result<Message> decode_payload(const Header& header, std::span<const std::byte> payload);

// Collects bytes and gives out whole messages. Not thread-safe.
class Decoder {
 public:
  void feed(std::span<const std::byte> bytes);
  // The next message, nothing if it is not whole yet, or the error that ends the stream.
  Result<std::optional<Message>> next();

 private:
  std::vector<std::byte> pending_;
  std::size_t consumed_ = 0;
};

}  // namespace hawser::wire
