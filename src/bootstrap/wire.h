// The control plane's messages and their bytes. docs/wire-protocol.md is the specification; this
// file mirrors its meaning, wire.cc its fields.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "control/line.h"

namespace hawser::wire {

inline constexpr std::uint32_t kMagic = 0x52535748;  // "HWSR" in the order of the bytes
inline constexpr std::uint16_t kVersion = 2;
inline constexpr std::size_t kHeaderBytes = 16;
inline constexpr std::size_t kMaxPayloadBytes = 4096;
inline constexpr std::size_t kMaxFrameBytes = kHeaderBytes + kMaxPayloadBytes;
inline constexpr std::size_t kMaxTextBytes = 1024;
inline constexpr std::uint32_t kMaxChannels = 1024;
inline constexpr std::uint32_t kMaxGpus = 8192;                             // more have no port
inline constexpr std::uint64_t kMaxTransferBytes = std::uint64_t{1} << 40;  // per channel
inline constexpr std::uint32_t kMaxWindow = 65536;
inline constexpr std::uint64_t kMaxPerfMessages = std::uint64_t{1} << 40;  // per channel, of a step
inline constexpr std::uint32_t kMaxBareSockets = 1024;
inline constexpr std::size_t kHandleBytes = 128;

// What a client comes for; a server of another purpose refuses it.
enum class Purpose : std::uint8_t { validation = 1, performance = 2 };

// client → server, first: who I am and what I can do.
struct Hello {
  std::uint32_t gpu = 0;                // the client's
  std::uint32_t target_gpu = 0;         // the one the client wants to talk to
  std::uint32_t channels = 0;           // wanted; 0 = as the server says
  std::uint64_t bytes = 0;              // wanted per channel; 0 = as the server says
  std::uint64_t max_request_bytes = 0;  // the largest single send; never 0 on the wire
  std::uint8_t memory = 0;              // 1 host, 2 cuda
  Purpose purpose = Purpose::validation;
  std::string transport;  // Net::name(); never empty on the wire
};

// server → client, in answer: what both will do. The client uses these numbers. On the wire none
// of channels, iterations, timeout_ms, bytes, chunk_bytes and transport is 0 or empty.
struct Plan {
  std::uint32_t gpu = 0;  // the server's
  std::uint32_t channels = 0;
  std::uint32_t iterations = 0;
  std::uint32_t timeout_ms = 0;
  std::uint64_t bytes = 0;  // per channel and iteration
  std::uint64_t chunk_bytes = 0;
  std::uint64_t seed = 0;  // of this run's data pattern
  bool serialize_create = false;
  std::string transport;
};

// Either way, instead of the expected answer, or at any time: no, and why. Ends the session.
struct Refuse {
  std::string reason;
};

// Connect channel `channel` of pass `pass` with this. From whoever listens: in a validation the
// server; in a measurement the server for pass 0, the client for pass 1, the way back.
struct HandleOffer {
  std::uint32_t pass = 0;
  std::uint32_t channel = 0;
  std::array<std::byte, kHandleBytes> handle{};
};

// What became of a channel at a stage, for the other side to know.
enum class Stage : std::uint8_t { created = 1, transferred = 2, closed = 3 };
// The part of a channel's life in which it failed.
enum class Operation : std::uint8_t {
  listen = 1,
  accept = 2,
  connect = 3,
  reg_mr = 4,
  transfer = 5,
  verify = 6,
  peer = 7,   // none of this side's: the other side's part failed, or no word of it came
  stuck = 8,  // its thread never came back, or never began
};
struct ChannelStatus {
  std::uint32_t pass = 0;
  std::uint32_t channel = 0;
  Stage stage = Stage::created;
  bool ok = false;
  std::string reason;  // this and what follows: where not ok; not sent where ok
  Operation operation = Operation::peer;
  Code kind = Code::internal;
};

// Both ways, before the last Barrier of a pass: what decides whether there is another one.
struct PassDone {
  std::uint32_t pass = 0;
  bool created = false;    // every channel came up, on both sides as far as the sender knows
  bool can_go_on = false;  // nothing of the sender hangs or has ended
};

// "I am here"; both sides send it and go on when they have the other's.
struct Barrier {
  std::uint32_t id = 0;
};

struct Heartbeat {};

// The messages of a measurement (hawser perf).

// client → server, first: how both drive their channels.
struct PerfSetup {
  std::uint32_t window = 0;        // requests in flight per channel, never 0 on the wire
  std::uint32_t bare_sockets = 0;  // of the bare-socket reference; 0: none is measured
  std::uint64_t ring_bytes = 0;    // see PerfStep; never 0 on the wire
  std::uint8_t idle = 1;  // what a thread does that finds nothing: 1 spin, 2 yield, 3 sleep
};

// Both ways: what this side runs on, in a few words for the report.
struct PerfHost {
  std::string text;
};

// server → client: where the bare-socket reference connects to.
struct PerfBare {
  std::uint64_t nonce = 0;  // what a bare socket says first
  std::uint16_t port = 0;   // never 0 on the wire
  std::string address;      // numeric; never empty on the wire
};

// client → server: measure this next.
enum class PerfKind : std::uint8_t {
  stream = 1,
  ping_pong = 2,
  bare_stream = 3,          // by blocking calls
  bare_stream_polling = 4,  // by calls that never block, over and over
  bare_ping_pong = 5,       // likewise
  end = 6,                  // nothing more
};
constexpr bool is_ping_pong(PerfKind kind) {
  return kind == PerfKind::ping_pong || kind == PerfKind::bare_ping_pong;
}
struct PerfStep {
  std::uint32_t id = 0;  // 1, 2, 3 ...
  PerfKind kind = PerfKind::end;
  bool bidirectional = false;
  std::uint64_t bytes = 0;     // of one message
  std::uint64_t warmup = 0;    // messages per channel before the clock starts
  std::uint64_t messages = 0;  // timed messages per channel
};

// Both ways: what came of a step on this side.
struct PerfResult {
  std::uint32_t id = 0;
  bool ok = false;
  std::uint64_t elapsed_ns = 0;
  std::uint64_t cpu_ns = 0;  // of the whole process, user and system
  std::string reason;        // where not ok; not sent where ok
};

// A message's type on the wire is its place here, counted from 1.
using Message = std::variant<Hello, Plan, Refuse, HandleOffer, ChannelStatus, Barrier, Heartbeat,
                             PerfSetup, PerfHost, PerfBare, PerfStep, PerfResult, PassDone>;

const char* message_name(const Message& message);  // "Hello"

// One frame. Texts longer than kMaxTextBytes are cut between two characters, and made printable.
std::vector<std::byte> encode(const Message& message);

// What a header announces.
struct Header {
  std::uint16_t type = 0;
  std::uint32_t payload_bytes = 0;
};
// Code::protocol where magic, version, type, length or the reserved field is wrong. A Refuse is
// taken in any version: its form never changes.
Result<Header> decode_header(std::span<const std::byte, kHeaderBytes> bytes);
// The whole payload and nothing but it; every field checked, every text printable.
Result<Message> decode_payload(const Header& header, std::span<const std::byte> payload);

// The message of a whole frame.
Result<Message> decode_frame(std::span<const std::byte> frame);
// How frames stand in a stream.
const control::Protocol& protocol();

}  // namespace hawser::wire
