#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/endian.h"
#include "bootstrap/wire_layout.h"

namespace hawser::wire {
namespace {

constexpr const char* kNames[] = {
    "Hello",     "Plan",     "Refuse",   "HandleOffer", "ChannelStatus", "Barrier", "Heartbeat",
    "PerfSetup", "PerfHost", "PerfBare", "PerfStep",    "PerfResult",    "PassDone"};
constexpr std::size_t kTypes = std::size(kNames);
static_assert(kTypes == std::variant_size_v<Message>);

enum Type : std::uint16_t {
  kHello = 1,
  kPlan,
  kRefuse,
  kHandleOffer,
  kStatus,
  kBarrier,
  kBeat,
  kPerfSetup,
  kPerfHost,
  kPerfBare,
  kPerfStep,
  kPerfResult,
  kPassDone
};
static_assert(kPassDone == kTypes);

Error bad(std::string message) {
  return Error(Code::protocol, std::move(message));
}

// Reads a payload's fields and remembers the first that is wrong; reads zeros from then on.
class Reader {
 public:
  enum class Tail { none, text };
  Reader(const char* name, std::span<const std::byte> payload, std::size_t fixed_bytes, Tail tail);

  template <class T>
  T number(const char* field, layout::Field<T> at, T min = 0,
           T max = std::numeric_limits<T>::max());
  bool boolean(const char* field, layout::U8 at) {
    return number<std::uint8_t>(field, at, 0, 1) == 1;
  }
  template <std::size_t N>
  void zeros(layout::Bytes<N> at);
  std::array<std::byte, kHandleBytes> handle(layout::Bytes<kHandleBytes> at);
  std::string text(const char* field, std::size_t min_bytes);

  void fail(std::string problem) {
    if (!error_) error_ = bad(fmt::format("a {} {}", name_, problem));
  }
  Result<Message> result(Message message) {
    if (error_) return *error_;
    return message;
  }

 private:
  void check_length(Tail tail);

  const char* name_;
  std::span<const std::byte> payload_;
  std::size_t fixed_bytes_;
  std::optional<Error> error_;
};

Reader::Reader(const char* name, std::span<const std::byte> payload, std::size_t fixed_bytes,
               Tail tail)
    : name_(name), payload_(payload), fixed_bytes_(fixed_bytes) {
  check_length(tail);
}

void Reader::check_length(Tail tail) {
  std::size_t want = fixed_bytes_;
  if (tail == Tail::text) want += layout::kTextLengthBytes;
  if (tail == Tail::text && payload_.size() >= want) {
    const auto text_bytes = load_le<std::uint16_t>(payload_.data() + fixed_bytes_);
    if (text_bytes > kMaxTextBytes)
      return fail(fmt::format("with a text of {} bytes, at most {}", text_bytes, kMaxTextBytes));
    want += text_bytes;
  }
  if (payload_.size() != want)
    fail(fmt::format("of {} bytes where its fields take {}", payload_.size(), want));
}

template <class T>
T Reader::number(const char* field, layout::Field<T> at, T min, T max) {
  if (error_) return 0;
  const T value = load_le<T>(payload_.data() + at.offset);
  if (value < min || value > max)
    fail(fmt::format("with {} = {}, want {} to {}", field, value, min, max));
  return value;
}

template <std::size_t N>
void Reader::zeros(layout::Bytes<N> at) {
  if (error_) return;
  const auto field = payload_.subspan(at.offset, N);
  const auto is_zero = [](std::byte byte) { return byte == std::byte{0}; };
  if (!std::all_of(field.begin(), field.end(), is_zero)) fail("whose reserved bytes are not zero");
}

std::array<std::byte, kHandleBytes> Reader::handle(layout::Bytes<kHandleBytes> at) {
  std::array<std::byte, kHandleBytes> out{};
  if (error_) return out;
  const auto field = payload_.subspan(at.offset, kHandleBytes);
  std::copy(field.begin(), field.end(), out.begin());
  return out;
}

std::string Reader::text(const char* field, std::size_t min_bytes) {
  if (error_) return {};
  const auto bytes = payload_.subspan(fixed_bytes_ + layout::kTextLengthBytes);
  if (bytes.size() < min_bytes) fail(fmt::format("without a {}", field));
  return printable({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Result<Message> decode_hello(std::span<const std::byte> payload) {
  namespace at = layout::hello;
  Reader in("Hello", payload, at::kFixedBytes, Reader::Tail::text);
  Hello hello;
  hello.gpu = in.number("gpu", at::kGpu, 0u, kMaxGpus - 1);
  hello.target_gpu = in.number("target_gpu", at::kTargetGpu, 0u, kMaxGpus - 1);
  hello.channels = in.number("channels", at::kChannels, 0u, kMaxChannels);
  hello.memory = in.number<std::uint8_t>("memory", at::kMemory, 1, 2);
  hello.purpose = static_cast<Purpose>(in.number<std::uint8_t>("purpose", at::kPurpose, 1, 2));
  in.zeros(at::kReserved);
  hello.bytes = in.number<std::uint64_t>("bytes", at::kBytes, 0, kMaxTransferBytes);
  hello.max_request_bytes = in.number<std::uint64_t>("max_request_bytes", at::kMaxRequestBytes, 1);
  hello.transport = in.text("transport", 1);
  return in.result(std::move(hello));
}

Result<Message> decode_plan(std::span<const std::byte> payload) {
  namespace at = layout::plan;
  Reader in("Plan", payload, at::kFixedBytes, Reader::Tail::text);
  Plan plan;
  plan.gpu = in.number("gpu", at::kGpu, 0u, kMaxGpus - 1);
  plan.channels = in.number("channels", at::kChannels, 1u, kMaxChannels);
  plan.iterations = in.number("iterations", at::kIterations, 1u);
  plan.timeout_ms = in.number("timeout_ms", at::kTimeoutMs, 1u);
  plan.bytes = in.number<std::uint64_t>("bytes", at::kBytes, 1, kMaxTransferBytes);
  plan.chunk_bytes = in.number<std::uint64_t>("chunk_bytes", at::kChunkBytes, 1, kMaxTransferBytes);
  plan.seed = in.number("seed", at::kSeed);
  plan.serialize_create = in.boolean("serialize_create", at::kSerializeCreate);
  in.zeros(at::kReserved);
  plan.transport = in.text("transport", 1);
  return in.result(std::move(plan));
}

Result<Message> decode_refuse(std::span<const std::byte> payload) {
  Reader in("Refuse", payload, layout::refuse::kFixedBytes, Reader::Tail::text);
  return in.result(Refuse{in.text("reason", 0)});
}

Result<Message> decode_handle_offer(std::span<const std::byte> payload) {
  namespace at = layout::handle_offer;
  Reader in("HandleOffer", payload, at::kFixedBytes, Reader::Tail::none);
  HandleOffer offer;
  offer.pass = in.number("pass", at::kPass);
  offer.channel = in.number("channel", at::kChannel, 0u, kMaxChannels - 1);
  offer.handle = in.handle(at::kHandle);
  return in.result(offer);
}

Result<Message> decode_channel_status(std::span<const std::byte> payload) {
  namespace at = layout::channel_status;
  Reader in("ChannelStatus", payload, at::kFixedBytes, Reader::Tail::text);
  ChannelStatus status;
  status.pass = in.number("pass", at::kPass);
  status.channel = in.number("channel", at::kChannel, 0u, kMaxChannels - 1);
  status.stage = static_cast<Stage>(in.number<std::uint8_t>("stage", at::kStage, 1, 3));
  status.ok = in.boolean("ok", at::kOk);
  status.reason = in.text("reason", 0);
  if (status.ok && !status.reason.empty()) in.fail("that is ok and gives a reason why not");
  const std::uint8_t most = status.ok ? 0 : at::kOperations;
  const std::uint8_t least = status.ok ? 0 : 1;
  const auto operation = in.number("operation", at::kOperation, least, most);
  const auto last_kind = static_cast<std::uint8_t>(status.ok ? 0 : at::kKinds - 1);
  const auto kind = in.number<std::uint8_t>("kind", at::kKind, 0, last_kind);
  if (!status.ok) status.operation = static_cast<Operation>(operation);
  if (!status.ok) status.kind = static_cast<Code>(kind);
  return in.result(std::move(status));
}

Result<Message> decode_pass_done(std::span<const std::byte> payload) {
  namespace at = layout::pass_done;
  Reader in("PassDone", payload, at::kFixedBytes, Reader::Tail::none);
  PassDone done;
  done.pass = in.number("pass", at::kPass);
  done.created = in.boolean("created", at::kCreated);
  done.can_go_on = in.boolean("can_go_on", at::kCanGoOn);
  in.zeros(at::kReserved);
  return in.result(done);
}

Result<Message> decode_barrier(std::span<const std::byte> payload) {
  Reader in("Barrier", payload, layout::barrier::kFixedBytes, Reader::Tail::none);
  return in.result(Barrier{in.number("id", layout::barrier::kId)});
}

Result<Message> decode_heartbeat(std::span<const std::byte> payload) {
  return Reader("Heartbeat", payload, 0, Reader::Tail::none).result(Heartbeat{});
}

Result<Message> decode_perf_setup(std::span<const std::byte> payload) {
  namespace at = layout::perf_setup;
  Reader in("PerfSetup", payload, at::kFixedBytes, Reader::Tail::none);
  PerfSetup setup;
  setup.window = in.number("window", at::kWindow, 1u, kMaxWindow);
  setup.bare_sockets = in.number("bare_sockets", at::kBareSockets, 0u, kMaxBareSockets);
  setup.ring_bytes = in.number<std::uint64_t>("ring_bytes", at::kRingBytes, 1, kMaxTransferBytes);
  setup.idle = in.number<std::uint8_t>("idle", at::kIdle, 1, 3);
  in.zeros(at::kReserved);
  return in.result(setup);
}

Result<Message> decode_perf_host(std::span<const std::byte> payload) {
  Reader in("PerfHost", payload, layout::perf_host::kFixedBytes, Reader::Tail::text);
  return in.result(PerfHost{in.text("text", 0)});
}

Result<Message> decode_perf_bare(std::span<const std::byte> payload) {
  namespace at = layout::perf_bare;
  Reader in("PerfBare", payload, at::kFixedBytes, Reader::Tail::text);
  PerfBare bare;
  bare.nonce = in.number("nonce", at::kNonce);
  bare.port = in.number<std::uint16_t>("port", at::kPort, 1);
  in.zeros(at::kReserved);
  bare.address = in.text("address", 1);
  return in.result(std::move(bare));
}

Result<Message> decode_perf_step(std::span<const std::byte> payload) {
  namespace at = layout::perf_step;
  Reader in("PerfStep", payload, at::kFixedBytes, Reader::Tail::none);
  PerfStep step;
  step.id = in.number("id", at::kId, 1u);
  step.kind = static_cast<PerfKind>(in.number<std::uint8_t>("kind", at::kKind, 1, 6));
  step.bidirectional = in.boolean("bidirectional", at::kBidirectional);
  in.zeros(at::kReserved);
  step.bytes = in.number<std::uint64_t>("bytes", at::kBytes, 1, kMaxTransferBytes);
  step.warmup = in.number<std::uint64_t>("warmup", at::kWarmup, 0, kMaxPerfMessages);
  step.messages = in.number<std::uint64_t>("messages", at::kMessages, 1, kMaxPerfMessages);
  return in.result(step);
}

Result<Message> decode_perf_result(std::span<const std::byte> payload) {
  namespace at = layout::perf_result;
  Reader in("PerfResult", payload, at::kFixedBytes, Reader::Tail::text);
  PerfResult result;
  result.id = in.number("id", at::kId, 1u);
  result.ok = in.boolean("ok", at::kOk);
  in.zeros(at::kReserved);
  result.elapsed_ns = in.number("elapsed_ns", at::kElapsedNs);
  result.cpu_ns = in.number("cpu_ns", at::kCpuNs);
  result.reason = in.text("reason", 0);
  if (result.ok && !result.reason.empty()) in.fail("that is ok and gives a reason why not");
  return in.result(std::move(result));
}

}  // namespace

const char* message_name(const Message& message) {
  return kNames[message.index()];
}

Result<Header> decode_header(std::span<const std::byte, kHeaderBytes> bytes) {
  namespace at = layout::header;
  if (!has_magic(bytes)) return bad(describe_stranger(bytes));
  const auto version = load_le<std::uint16_t>(bytes.data() + at::kVersionField.offset);
  const auto type = load_le<std::uint16_t>(bytes.data() + at::kType.offset);
  const auto payload_bytes = load_le<std::uint32_t>(bytes.data() + at::kPayloadBytes.offset);
  if (version != kVersion && type != kRefuse)
    return bad(fmt::format("protocol version {}, this side speaks {}", version, kVersion));
  if (type < 1 || type > kTypes) return bad(fmt::format("a message of unknown type {}", type));
  if (payload_bytes > kMaxPayloadBytes)
    return bad(fmt::format("a {} of {} bytes, at most {}", kNames[type - 1], payload_bytes,
                           kMaxPayloadBytes));
  if (load_le<std::uint32_t>(bytes.data() + at::kReserved.offset) != 0)
    return bad(fmt::format("a {} whose reserved header field is not zero", kNames[type - 1]));
  return Header{type, payload_bytes};
}

Result<Message> decode_payload(const Header& header, std::span<const std::byte> payload) {
  if (payload.size() != header.payload_bytes)
    return bad(fmt::format("{} bytes where the header announced {}", payload.size(),
                           header.payload_bytes));
  switch (header.type) {
    case kHello:
      return decode_hello(payload);
    case kPlan:
      return decode_plan(payload);
    case kRefuse:
      return decode_refuse(payload);
    case kHandleOffer:
      return decode_handle_offer(payload);
    case kStatus:
      return decode_channel_status(payload);
    case kBarrier:
      return decode_barrier(payload);
    case kBeat:
      return decode_heartbeat(payload);
    case kPerfSetup:
      return decode_perf_setup(payload);
    case kPerfHost:
      return decode_perf_host(payload);
    case kPerfBare:
      return decode_perf_bare(payload);
    case kPerfStep:
      return decode_perf_step(payload);
    case kPerfResult:
      return decode_perf_result(payload);
    case kPassDone:
      return decode_pass_done(payload);
    default:
      return bad(fmt::format("a message of unknown type {}", header.type));
  }
}

void Decoder::feed(std::span<const std::byte> bytes) {
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(consumed_));
  consumed_ = 0;
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
}

std::span<const std::byte> Decoder::pending() const {
  return std::span(pending_).subspan(consumed_);
}

Result<std::optional<Message>> Decoder::next() {
  const auto bytes = pending();
  if (bytes.size() >= sizeof kMagic && !has_magic(bytes)) return bad(describe_stranger(bytes));
  if (bytes.size() < kHeaderBytes) return std::optional<Message>();
  HAWSER_ASSIGN(const Header header, decode_header(bytes.first<kHeaderBytes>()));
  if (bytes.size() < kHeaderBytes + header.payload_bytes) return std::optional<Message>();
  HAWSER_ASSIGN(Message message,
                decode_payload(header, bytes.subspan(kHeaderBytes, header.payload_bytes)));
  consumed_ += kHeaderBytes + header.payload_bytes;
  return std::optional<Message>(std::move(message));
}

}  // namespace hawser::wire
