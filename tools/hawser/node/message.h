// What two nodes say to each other over the link of a GPU, beside the data: agreement, steps and
// results. docs/node.md is the specification; this file mirrors its meaning.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>

#include <hawser/region.h>

#include "base/result.h"
#include "node/node.h"

namespace hawser::node {

inline constexpr std::uint32_t kMagic = 0x4e535748;  // "HWSN" in the order of the bytes
inline constexpr std::uint16_t kVersion = 1;
inline constexpr std::size_t kSettingBytes = 512;  // of a message of the agreement or the results
inline constexpr std::size_t kStepBytes = 32;      // of one between iterations
inline constexpr std::size_t kMaxHostBytes = 64;
inline constexpr std::size_t kMaxReasonBytes = 400;

// Iterations that may be under way, each with memory of its own: one is filled or compared while
// the other moves.
inline constexpr std::size_t kSlots = 2;

// The tags of a link's messages; each way has its own of each.
enum Tag : std::uint64_t { kTagSetting = 1, kTagStep = 2, kTagCredit = 3, kTagFarewell = 4 };

// What is moved. On the wire neither gpus nor bytes is 0, and one of iterations and duration_ms is.
struct Terms {
  std::uint32_t gpus = 0;  // that this side's process has
  std::uint64_t bytes = 0;
  std::uint64_t iterations = 0;
  std::uint64_t duration_ms = 0;
  bool both_ways = false;
  bool verify = true;
  bool operator==(const Terms&) const = default;
};

// client -> server: who I am, and what I was asked for.
struct Hello {
  std::uint64_t process = 0;  // one random number for all links of a process; never 0
  std::uint32_t gpu = 0;
  bool cuda = false;  // where the memory is
  std::string host;   // for people
  Terms terms;
};

// server -> client: the same of mine, which rule.
struct Plan {
  Hello server;
  std::uint64_t seed = 0;  // of the data of this run
};

// Either way: my memory is ready, and this is how I understood the plan.
struct Ready {
  std::uint32_t gpu = 0;
  std::uint64_t seed = 0;
  Terms terms;
  // Where I receive: iteration i goes to region i % kSlots. Zeros: I do not receive.
  std::array<std::array<std::byte, kRegionTokenBytes>, kSlots> tokens{};
};

// Either way, instead of what was expected.
struct Refuse {
  std::string reason;
};

// Either way, when all is done: what I sent and received, and whether all was well here.
struct Summary {
  std::uint64_t sent_iterations = 0;
  std::uint64_t received_iterations = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
  bool interrupted = false;  // somebody ended it early here
  bool well = false;
  std::string reason;  // where not well
};

// Iteration `iteration` (from 0) is in your memory.
struct Written {
  std::uint64_t iteration = 0;
};

// There were so many iterations, and no more come.
struct End {
  std::uint64_t iterations = 0;
};

// I am done with iteration `iteration`: its memory may be written again. `stop`: send no more.
struct Credit {
  std::uint64_t iteration = 0;
  bool stop = false;
};

// A message's type on the wire is its place here, counted from 1.
using Message = std::variant<Hello, Plan, Ready, Refuse, Summary, Written, End, Credit>;

const char* message_name(const Message& message);  // "Hello"
// kStepBytes for Written, End and Credit, else kSettingBytes.
std::size_t encoded_bytes(const Message& message);
// `into` has encoded_bytes(); texts are made printable, and cut between two
// characters where they are longer than their bound.
void encode(const Message& message, std::span<std::byte> into);
// Each field is checked for form. Code::protocol: no correct peer sends this.
Result<Message> decode(std::span<const std::byte> bytes);

}  // namespace hawser::node
