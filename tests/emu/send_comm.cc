#include "send_comm.h"

#include <algorithm>

#include "tables.h"

namespace emu {
namespace {

constexpr std::size_t kStagingBytes = 256 * 1024;
constexpr std::size_t kStagingWindows = 4;

}  // namespace

SendComm::SendComm(Services services, const Cuda* cuda, CommInfo info, Socket socket,
                   std::uint64_t number)
    : services_(services),
      cuda_(cuda),
      info_(info),
      socket_(std::move(socket)),
      number_(number),
      dies_at_(services.faults.offset_of(kTargetPeer, info.side, info.channel)) {}

FirstCall& SendComm::first_test(std::uint32_t sequence) {
  return at(sequence).first_test;
}

int SendComm::fail(int code, const char* why) {
  services_.report.warn("channel %d: send: %s", info_.channel, why);
  return failed_with_ = code;
}

int SendComm::post(Posting posting, void** request) {
  if (failed_with_ != kSuccess) return failed_with_;
  if (posted_ - reported_ == kSlots)
    return services_.report.rule_broken("channel %d: a 17th isend in flight", info_.channel);
  CopyRing* staging = nullptr;
  if (const int problem = find_staging(*posting.registration, staging)) return problem;
  *request = opaque_request(Tag::send_request, number_, posted_);
  at(posted_) = {std::move(posting), 0, staging, 0, std::nullopt, 0};
  ++posted_;
  services_.stats.saw_in_flight(posted_ - reported_);
  return kSuccess;
}

int SendComm::find_staging(const Registration& registration, CopyRing*& staging) {
  if (registration.type == kPointerHost) return kSuccess;
  auto& ring = staging_[registration.context];
  if (ring == nullptr)
    ring = CopyRing::create(*cuda_, registration.context, kStagingWindows, kStagingBytes);
  if (ring == nullptr) return fail(kCudaError, "no page-locked memory to copy GPU memory to");
  staging = ring.get();
  return kSuccess;
}

int SendComm::check_testable(std::uint32_t sequence) const {
  if (sequence == reported_ && sequence != posted_) return kSuccess;
  if (sequence - reported_ < posted_ - reported_)
    return services_.report.rule_broken(
        "channel %d: test of send %u, and the oldest unfinished is %u", info_.channel, sequence,
        reported_);
  return services_.report.rule_broken("channel %d: test of send %u, which is done already",
                                      info_.channel, sequence);
}

int SendComm::test(std::uint32_t sequence, int* done) {
  if (const int problem = check_testable(sequence)) return problem;
  if (failed_with_ != kSuccess) return failed_with_;
  if (const int problem = progress()) return problem;
  if (written_ == reported_ || !finished(at(reported_))) return kSuccess;
  at(reported_++) = {};
  *done = 1;
  return kSuccess;
}

// The real one sends from a GPU's memory without a copy: the kernel is done with it when the other
// end has acknowledged it. Whether a host there has received it is not asked.
bool SendComm::finished(const Request& request) {
  if (request.posting.registration->type == kPointerHost) return true;
  if (!gone_ && acknowledged_bytes_ < request.end)
    acknowledged_bytes_ = sent_bytes_ - socket_.unacknowledged();
  return acknowledged_bytes_ >= request.end;
}

void SendComm::peer_gone(const char* why) {
  gone_ = true;
  services_.report.warn("channel %d: send: %s", info_.channel, why);
}

// The real one sees it where it announces a message. Its thread that writes payload ends without a
// word.
int SendComm::show_death() {
  const Settings& settings = services_.settings;
  if (settings.peer_death == PeerDeath::never) return kSuccess;
  if (settings.peer_death == PeerDeath::code) return failed_with_ = settings.peer_death_code;
  const std::uint32_t announced = at(written_).offset < kFrameBytes ? 0 : 1;
  return posted_ - written_ > announced ? failed_with_ = kSystemError : kSuccess;
}

// The only thing that comes back on this connection is the receiver's complaint.
int SendComm::read_refusal() {
  switch (refusal_.read(socket_)) {
    case FrameReader::State::waiting:
      return kSuccess;
    case FrameReader::State::ended:
      if (written_ != posted_) peer_gone("the peer closed the connection with sends unfinished");
      return kSuccess;
    case FrameReader::State::complete:
      break;
  }
  const std::optional<Frame> frame = refusal_.frame();
  refusal_.restart();
  if (!frame || frame->kind != FrameKind::too_long)
    return fail(kRemoteError, "the peer sent what no receiver sends");
  failed_with_ = services_.report.rule_broken(
      "channel %d: send %u of %llu bytes is longer than its receive; the real plugin would "
      "overwrite memory",
      info_.channel, frame->number, static_cast<unsigned long long>(frame->value));
  return failed_with_;
}

bool SendComm::write(Request& request, const std::byte* data, std::size_t bytes,
                     bool more_follows) {
  const Moved moved = socket_.send(data, bytes, more_follows);
  if (moved.ended) peer_gone("the peer closed the connection with sends unfinished");
  request.offset += moved.bytes;
  sent_bytes_ += moved.bytes;
  return moved.bytes == bytes;
}

bool SendComm::write_header(Request& request) {
  const FrameBytes header = encode({FrameKind::data, written_, request.posting.bytes});
  return write(request, header.data() + request.offset, kFrameBytes - request.offset,
               request.posting.bytes != 0);
}

// Copies out of the GPU what is posted, in order, as far as there is room for it.
bool SendComm::stage_ahead() {
  for (; staging_next_ != posted_; ++staging_next_) {
    Request& request = at(staging_next_);
    if (request.staging == nullptr) continue;
    while (request.staged < request.posting.bytes) {
      if (request.staging->full()) return true;
      const std::size_t bytes = std::min(request.posting.bytes - request.staged, kStagingBytes);
      if (!request.staging->from_device(request.posting.data + request.staged, bytes)) return false;
      request.staged += bytes;
    }
  }
  return true;
}

// Where payload byte `offset` can be read by the CPU, and how many from there.
// nullptr: not yet, or the copy from the GPU failed.
const std::byte* SendComm::payload_at(const Request& request, std::size_t offset,
                                      std::size_t& bytes) {
  if (request.staging != nullptr) return staged_at(request, offset, bytes);
  bytes = request.posting.bytes - offset;
  return request.posting.data + offset;
}

// Windows are filled and emptied in the order of the stream: the oldest is the one.
const std::byte* SendComm::staged_at(const Request& request, std::size_t offset,
                                     std::size_t& bytes) {
  if (!request.staging->poll()) {
    fail(kCudaError, "the copy out of the GPU failed");
    return nullptr;
  }
  const std::byte* const window = request.staging->oldest();
  if (window == nullptr) return nullptr;
  const std::size_t begin = offset / kStagingBytes * kStagingBytes;
  bytes = std::min(begin + kStagingBytes, std::size_t{request.posting.bytes}) - offset;
  return window + (offset - begin);
}

bool SendComm::write_payload(Request& request) {
  const std::size_t offset = request.offset - kFrameBytes;
  std::size_t bytes = 0;
  const std::byte* data = payload_at(request, offset, bytes);
  if (data == nullptr) return false;
  const std::size_t end = offset + bytes;  // of the host's buffer, or of a window
  if (dies_at_) bytes = std::min<std::uint64_t>(bytes, *dies_at_ - stream_bytes_);
  const bool all = write(request, data, bytes, false);
  const std::size_t now = request.offset - kFrameBytes - offset;
  stream_bytes_ += now;
  services_.stats.bytes_sent.fetch_add(now, std::memory_order_relaxed);
  if (request.staging != nullptr && offset + now == end) request.staging->release();
  return all;
}

int SendComm::progress() {
  if (!gone_)
    if (const int problem = read_refusal()) return problem;
  const std::uint64_t limit = stream_bytes_ + kMaxBytesPerTest;
  while (written_ != posted_ && failed_with_ == kSuccess && !gone_ && stream_bytes_ < limit) {
    if (past_death()) {
      socket_.reset();
      peer_gone("the connection was cut (HAWSER_EMU_FAULTS)");
      break;
    }
    if (!stage_ahead()) return fail(kCudaError, "the copy out of the GPU failed");
    Request& request = at(written_);
    const bool all = request.offset < kFrameBytes ? write_header(request) : write_payload(request);
    if (!all) break;
    if (request.offset < kFrameBytes + request.posting.bytes) continue;
    request.end = sent_bytes_;
    ++written_;
  }
  return gone_ && written_ != posted_ ? show_death() : failed_with_;
}

void SendComm::close() {
  const std::uint32_t unfinished = posted_ - reported_;
  if (unfinished != 0) {
    services_.stats.sends_abandoned.fetch_add(unfinished, std::memory_order_relaxed);
    services_.report.warn("channel %d: closeSend with %u sends unfinished", info_.channel,
                          unfinished);
  }
  staging_.clear();  // waits for the copies: the buffers are the host's again
  for (Request& request : ring_) request = {};
  socket_.close();
}

}  // namespace emu
