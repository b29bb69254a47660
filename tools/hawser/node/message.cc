#include "node/message.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/codec.h"
#include "node/options.h"

namespace hawser::node {
namespace {

constexpr const char* kNames[] = {"Hello",   "Plan",    "Ready", "Refuse",
                                  "Summary", "Written", "End",   "Credit"};
static_assert(std::size(kNames) == std::variant_size_v<Message>);

template <class T>
constexpr bool kIsStep =
    std::is_same_v<T, Written> || std::is_same_v<T, End> || std::is_same_v<T, Credit>;

using codec::Of;

void fields(auto& io, Of<Terms> auto& terms) {
  io.number("gpus", terms.gpus);
  io.number("bytes", terms.bytes);
  io.number("iterations", terms.iterations);
  io.number("duration_ms", terms.duration_ms);
  io.flag("both_ways", terms.both_ways);
  io.flag("verify", terms.verify);
}

void fields(auto& io, Of<Hello> auto& hello) {
  io.number("process", hello.process);
  io.number("gpu", hello.gpu);
  io.flag("cuda", hello.cuda);
  fields(io, hello.terms);
  io.text("host", hello.host, kMaxHostBytes);
}

void fields(auto& io, Of<Plan> auto& plan) {
  io.number("seed", plan.seed);
  fields(io, plan.server);
}

void fields(auto& io, Of<Ready> auto& ready) {
  io.number("gpu", ready.gpu);
  io.number("seed", ready.seed);
  fields(io, ready.terms);
  for (auto& token : ready.tokens) io.array("token", token);
}

void fields(auto& io, Of<Refuse> auto& refuse) {
  io.text("reason", refuse.reason, kMaxReasonBytes);
}

void fields(auto& io, Of<Summary> auto& summary) {
  io.number("sent_iterations", summary.sent_iterations);
  io.number("received_iterations", summary.received_iterations);
  io.number("sent_bytes", summary.sent_bytes);
  io.number("received_bytes", summary.received_bytes);
  io.flag("interrupted", summary.interrupted);
  io.flag("well", summary.well);
  io.text("reason", summary.reason, kMaxReasonBytes);
}

void fields(auto& io, Of<Written> auto& written) {
  io.number("iteration", written.iteration);
}

void fields(auto& io, Of<End> auto& end) {
  io.number("iterations", end.iterations);
}

void fields(auto& io, Of<Credit> auto& credit) {
  io.number("iteration", credit.iteration);
  io.flag("stop", credit.stop);
}

bool sensible(const Terms& terms) {
  const bool counted = terms.iterations != 0 && terms.iterations <= kMaxIterations;
  const bool timed = terms.duration_ms != 0 && terms.duration_ms <= kMaxDurationMs;
  return terms.gpus >= 1 && terms.gpus <= kMaxGpus && terms.bytes >= 1 &&
         terms.bytes <= kMaxBytes && (terms.iterations == 0 ? timed : counted) &&
         (terms.iterations == 0 || terms.duration_ms == 0);
}

bool sensible(const Hello& hello) {
  return hello.process != 0 && hello.gpu < hello.terms.gpus && sensible(hello.terms);
}
bool sensible(const Plan& plan) {
  return sensible(plan.server);
}
bool sensible(const Ready& ready) {
  return sensible(ready.terms);
}
bool sensible(const auto&) {
  return true;
}

bool all_zeros(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](std::byte byte) { return byte == std::byte{}; });
}

Error no_message(std::string_view why) {
  return Error(Code::protocol, fmt::format("a message of no hawser node: {}", why));
}

}  // namespace

const char* message_name(const Message& message) {
  return kNames[message.index()];
}

std::size_t encoded_bytes(const Message& message) {
  return std::visit(
      [](const auto& it) {
        return kIsStep<std::remove_cvref_t<decltype(it)>> ? kStepBytes : kSettingBytes;
      },
      message);
}

void encode(const Message& message, std::span<std::byte> into) {
  std::fill(into.begin(), into.end(), std::byte{});
  codec::Encoder out(into.data());
  out.number("magic", kMagic);
  out.number("version", kVersion);
  out.number("type", static_cast<std::uint16_t>(message.index() + 1));
  std::visit([&](const auto& it) { fields(out, it); }, message);
}

Result<Message> decode(std::span<const std::byte> bytes) {
  std::uint32_t magic = 0;
  std::uint16_t version = 0;
  std::uint16_t type = 0;
  codec::Decoder header("message", bytes);
  header.number("magic", magic);
  header.number("version", version);
  header.number("type", type);
  if (!header.good()) return no_message("it is too short");
  if (magic != kMagic) return no_message("it begins otherwise");
  if (version != kVersion)
    return Error(Code::protocol,
                 fmt::format("the other side's node speaks version {}, this one {}: "
                             "use the same hawser on both sides",
                             version, kVersion));
  if (type < 1 || type > std::size(kNames)) return no_message("its type is not known");
  Message message;
  codec::Decoder in(kNames[type - 1], header.left());
  codec::read_alternative(message, type - 1u, [&in](auto& it) { fields(in, it); });
  if (bytes.size() != encoded_bytes(message)) return no_message("its length is wrong");
  if (!in.good()) return no_message(in.finish()->message());
  if (!all_zeros(in.left())) return no_message("what follows its fields is not zero");
  if (!std::visit([](const auto& it) { return sensible(it); }, message))
    return no_message("a number is out of range");
  return message;
}

}  // namespace hawser::node
