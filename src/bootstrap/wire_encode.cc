#include <algorithm>
#include <cstring>

#include "base/endian.h"
#include "bootstrap/wire_layout.h"

namespace hawser::wire {
namespace {

// A frame being made: the header, a payload's fixed part (zeros at first), a text.
class Writer {
 public:
  explicit Writer(std::size_t fixed_bytes) : frame_(kHeaderBytes + fixed_bytes) {}

  template <class T>
  void put(layout::Field<T> field, T value) {
    store_le(frame_.data() + kHeaderBytes + field.offset, value);
  }
  void put(layout::Bytes<kHandleBytes> field, const std::array<std::byte, kHandleBytes>& bytes) {
    std::copy(bytes.begin(), bytes.end(), frame_.begin() + kHeaderBytes + field.offset);
  }
  void text(const std::string& text);
  std::vector<std::byte> finish(std::size_t type);

 private:
  std::vector<std::byte> frame_;
};

// The longest start of `text` of at most kMaxTextBytes that ends between two UTF-8 characters.
std::string_view cut(std::string_view text) {
  if (text.size() <= kMaxTextBytes) return text;
  std::size_t bytes = kMaxTextBytes;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

void Writer::text(const std::string& text) {
  const std::string sent(cut(printable(text)));
  const std::size_t at = frame_.size();
  frame_.resize(at + layout::kTextLengthBytes + sent.size());
  store_le(frame_.data() + at, static_cast<std::uint16_t>(sent.size()));
  std::memcpy(frame_.data() + at + layout::kTextLengthBytes, sent.data(), sent.size());
}

std::vector<std::byte> Writer::finish(std::size_t type) {
  const auto payload_bytes = static_cast<std::uint32_t>(frame_.size() - kHeaderBytes);
  std::byte* const at = frame_.data();
  store_le(at + layout::header::kMagicField.offset, kMagic);
  store_le(at + layout::header::kVersionField.offset, kVersion);
  store_le(at + layout::header::kType.offset, static_cast<std::uint16_t>(type));
  store_le(at + layout::header::kPayloadBytes.offset, payload_bytes);
  return std::move(frame_);
}

Writer payload(const Hello& hello) {
  namespace at = layout::hello;
  Writer out(at::kFixedBytes);
  out.put(at::kGpu, hello.gpu);
  out.put(at::kTargetGpu, hello.target_gpu);
  out.put(at::kChannels, hello.channels);
  out.put(at::kMemory, hello.memory);
  out.put(at::kPurpose, static_cast<std::uint8_t>(hello.purpose));
  out.put(at::kBytes, hello.bytes);
  out.put(at::kMaxRequestBytes, hello.max_request_bytes);
  out.text(hello.transport);
  return out;
}

Writer payload(const Plan& plan) {
  namespace at = layout::plan;
  Writer out(at::kFixedBytes);
  out.put(at::kGpu, plan.gpu);
  out.put(at::kChannels, plan.channels);
  out.put(at::kIterations, plan.iterations);
  out.put(at::kTimeoutMs, plan.timeout_ms);
  out.put(at::kBytes, plan.bytes);
  out.put(at::kChunkBytes, plan.chunk_bytes);
  out.put(at::kSeed, plan.seed);
  out.put(at::kSerializeCreate, static_cast<std::uint8_t>(plan.serialize_create));
  out.text(plan.transport);
  return out;
}

Writer payload(const Refuse& refuse) {
  Writer out(layout::refuse::kFixedBytes);
  out.text(refuse.reason);
  return out;
}

Writer payload(const HandleOffer& offer) {
  namespace at = layout::handle_offer;
  Writer out(at::kFixedBytes);
  out.put(at::kPass, offer.pass);
  out.put(at::kChannel, offer.channel);
  out.put(at::kHandle, offer.handle);
  return out;
}

Writer payload(const ChannelStatus& status) {
  namespace at = layout::channel_status;
  Writer out(at::kFixedBytes);
  out.put(at::kPass, status.pass);
  out.put(at::kChannel, status.channel);
  out.put(at::kStage, static_cast<std::uint8_t>(status.stage));
  out.put(at::kOk, static_cast<std::uint8_t>(status.ok));
  if (!status.ok) {
    out.put(at::kOperation, static_cast<std::uint8_t>(status.operation));
    out.put(at::kKind, static_cast<std::uint8_t>(status.kind));
  }
  out.text(status.ok ? std::string() : status.reason);
  return out;
}

Writer payload(const PassDone& done) {
  namespace at = layout::pass_done;
  Writer out(at::kFixedBytes);
  out.put(at::kPass, done.pass);
  out.put(at::kCreated, static_cast<std::uint8_t>(done.created));
  out.put(at::kCanGoOn, static_cast<std::uint8_t>(done.can_go_on));
  return out;
}

Writer payload(const Barrier& barrier) {
  Writer out(layout::barrier::kFixedBytes);
  out.put(layout::barrier::kId, barrier.id);
  return out;
}

Writer payload(const Heartbeat&) {
  return Writer(0);
}

Writer payload(const PerfSetup& setup) {
  namespace at = layout::perf_setup;
  Writer out(at::kFixedBytes);
  out.put(at::kWindow, setup.window);
  out.put(at::kBareSockets, setup.bare_sockets);
  out.put(at::kRingBytes, setup.ring_bytes);
  out.put(at::kIdle, setup.idle);
  return out;
}

Writer payload(const PerfHost& host) {
  Writer out(layout::perf_host::kFixedBytes);
  out.text(host.text);
  return out;
}

Writer payload(const PerfBare& bare) {
  namespace at = layout::perf_bare;
  Writer out(at::kFixedBytes);
  out.put(at::kNonce, bare.nonce);
  out.put(at::kPort, bare.port);
  out.text(bare.address);
  return out;
}

Writer payload(const PerfStep& step) {
  namespace at = layout::perf_step;
  Writer out(at::kFixedBytes);
  out.put(at::kId, step.id);
  out.put(at::kKind, static_cast<std::uint8_t>(step.kind));
  out.put(at::kBidirectional, static_cast<std::uint8_t>(step.bidirectional));
  out.put(at::kBytes, step.bytes);
  out.put(at::kWarmup, step.warmup);
  out.put(at::kMessages, step.messages);
  return out;
}

Writer payload(const PerfResult& result) {
  namespace at = layout::perf_result;
  Writer out(at::kFixedBytes);
  out.put(at::kId, result.id);
  out.put(at::kOk, static_cast<std::uint8_t>(result.ok));
  out.put(at::kElapsedNs, result.elapsed_ns);
  out.put(at::kCpuNs, result.cpu_ns);
  out.text(result.ok ? std::string() : result.reason);
  return out;
}

}  // namespace

std::vector<std::byte> encode(const Message& message) {
  return std::visit([](const auto& it) { return payload(it); }, message)
      .finish(message.index() + 1);
}

}  // namespace hawser::wire
