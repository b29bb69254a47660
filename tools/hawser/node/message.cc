#include "node/message.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "base/endian.h"
#include "node/options.h"

namespace hawser::node {
namespace {

constexpr std::size_t kHeaderBytes = 8;  // magic, version, type
constexpr const char* kNames[] = {"Hello",   "Plan",    "Ready", "Refuse",
                                  "Summary", "Written", "End",   "Credit"};

template <class T>
constexpr bool kIsStep =
    std::is_same_v<T, Written> || std::is_same_v<T, End> || std::is_same_v<T, Credit>;

// The text's first bytes, without a part of a character at the end.
std::string_view cut_text(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

// Both know the same fields in the same order: fields() below is written once for both.
class MessageWriter {
 public:
  explicit MessageWriter(std::span<std::byte> into) : left_(into) {}

  template <class T>
  void number(const T& value) {
    store_le(take(sizeof(T)), value);
  }
  void flag(const bool& value) { number(static_cast<std::uint8_t>(value ? 1 : 0)); }
  void bytes(std::span<const std::byte> value) {
    std::memcpy(take(value.size()), value.data(), value.size());
  }
  void text(const std::string& value, std::size_t most) {
    const std::string_view kept = cut_text(value, most);
    number(static_cast<std::uint16_t>(kept.size()));
    std::memcpy(take(kept.size()), kept.data(), kept.size());
  }

 private:
  std::byte* take(std::size_t count) {
    std::byte* const at = left_.data();
    left_ = left_.subspan(count);
    return at;
  }
  std::span<std::byte> left_;
};

class MessageReader {
 public:
  explicit MessageReader(std::span<const std::byte> from) : left_(from) {}
  bool good() const { return good_; }

  template <class T>
  void number(T& value) {
    if (const std::byte* const at = take(sizeof(T))) value = load_le<T>(at);
  }
  void flag(bool& value) {
    std::uint8_t byte = 0;
    number(byte);
    good_ = good_ && byte <= 1;
    value = byte == 1;
  }
  void bytes(std::span<std::byte> value) {
    if (const std::byte* const at = take(value.size())) std::memcpy(value.data(), at, value.size());
  }
  void text(std::string& value, std::size_t most) {
    std::uint16_t count = 0;
    number(count);
    good_ = good_ && count <= most;
    if (const std::byte* const at = take(count))
      value.assign(reinterpret_cast<const char*>(at), count);
  }
  // What no field took must be zeros.
  bool ends() const {
    return std::all_of(left_.begin(), left_.end(),
                       [](std::byte byte) { return byte == std::byte{}; });
  }

 private:
  const std::byte* take(std::size_t count) {
    good_ = good_ && count <= left_.size();
    if (!good_) return nullptr;
    const std::byte* const at = left_.data();
    left_ = left_.subspan(count);
    return at;
  }
  std::span<const std::byte> left_;
  bool good_ = true;
};

// A message of this kind, const when it is written.
template <class M, class T>
concept Of = std::is_same_v<std::remove_const_t<M>, T>;

void fields(auto& io, Of<Terms> auto& terms) {
  io.number(terms.gpus);
  io.number(terms.bytes);
  io.number(terms.iterations);
  io.number(terms.duration_ms);
  io.flag(terms.both_ways);
  io.flag(terms.verify);
}

void fields(auto& io, Of<Hello> auto& hello) {
  io.number(hello.process);
  io.number(hello.gpu);
  io.flag(hello.cuda);
  fields(io, hello.terms);
  io.text(hello.host, kMaxHostBytes);
}

void fields(auto& io, Of<Plan> auto& plan) {
  io.number(plan.seed);
  fields(io, plan.server);
}

void fields(auto& io, Of<Ready> auto& ready) {
  io.number(ready.gpu);
  io.number(ready.seed);
  fields(io, ready.terms);
  for (auto& token : ready.tokens) io.bytes(std::span(token));
}

void fields(auto& io, Of<Refuse> auto& refuse) {
  io.text(refuse.reason, kMaxReasonBytes);
}

void fields(auto& io, Of<Summary> auto& summary) {
  io.number(summary.sent_iterations);
  io.number(summary.received_iterations);
  io.number(summary.sent_bytes);
  io.number(summary.received_bytes);
  io.flag(summary.interrupted);
  io.flag(summary.well);
  io.text(summary.reason, kMaxReasonBytes);
}

void fields(auto& io, Of<Written> auto& written) {
  io.number(written.iteration);
}

void fields(auto& io, Of<End> auto& end) {
  io.number(end.iterations);
}

void fields(auto& io, Of<Credit> auto& credit) {
  io.number(credit.iteration);
  io.flag(credit.stop);
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

Error no_message(const char* why) {
  return Error(Code::protocol, fmt::format("a message of no hawser node: {}", why));
}

// Reads the message of type `type`, counted from 1 at `Index`.
template <std::size_t Index = 0>
Result<Message> decode_as(std::size_t type, std::span<const std::byte> bytes) {
  if constexpr (Index == std::variant_size_v<Message>) {
    return no_message("its type is not known");
  } else {
    if (type != Index + 1) return decode_as<Index + 1>(type, bytes);
    std::variant_alternative_t<Index, Message> message;
    MessageReader reader(bytes.subspan(kHeaderBytes));
    fields(reader, message);
    if (bytes.size() != encoded_bytes(message) || !reader.good() || !reader.ends())
      return no_message("its length or a field is wrong");
    if (!sensible(message)) return no_message("a number is out of range");
    return Message(std::move(message));
  }
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
  MessageWriter writer(into);
  writer.number(kMagic);
  writer.number(kVersion);
  writer.number(static_cast<std::uint16_t>(message.index() + 1));
  std::visit([&](const auto& it) { fields(writer, it); }, message);
}

Result<Message> decode(std::span<const std::byte> bytes) {
  if (bytes.size() < kHeaderBytes) return no_message("it is too short");
  if (load_le<std::uint32_t>(bytes.data()) != kMagic) return no_message("it begins otherwise");
  const auto version = load_le<std::uint16_t>(bytes.data() + 4);
  if (version != kVersion)
    return Error(Code::protocol,
                 fmt::format("the other side's node speaks version {}, this one {}: "
                             "use the same hawser on both sides",
                             version, kVersion));
  return decode_as(load_le<std::uint16_t>(bytes.data() + 6), bytes);
}

}  // namespace hawser::node
