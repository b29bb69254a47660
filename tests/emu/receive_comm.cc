#include "receive_comm.h"

#include <algorithm>

#include "tables.h"

namespace emu {
namespace {

constexpr std::uint32_t kSegmentBytes = 1448;  // TCP payload of a 1500-byte frame

}  // namespace

ReceiveComm::ReceiveComm(Services services, CommInfo info, Socket socket, std::uint64_t number,
                         BouncePool& pool, std::unique_ptr<UnpackMemory> memory)
    : services_(services),
      info_(info),
      socket_(std::move(socket)),
      number_(number),
      pool_(pool),
      memory_(std::move(memory)),
      dies_at_(services.faults.offset_of(kTargetPeer, info.side, info.channel)),
      corrupts_at_(services.faults.offset_of(kTargetPayload, info.side, info.channel)),
      random_(static_cast<std::uint32_t>(info.channel)) {
  for (Slot& slot : slots_) slot.pages.reserve(kMaxFragments);
}

int ReceiveComm::fail(int code, const char* why) {
  services_.report.warn("channel %d: receive: %s", info_.channel, why);
  return failed_with_ = code;
}

int ReceiveComm::post(Posting posting, void** request) {
  if (failed_with_ != kSuccess) return failed_with_;
  if (posted_ - consumed_ == kSlots)
    return services_.report.rule_broken("channel %d: a 17th irecv (those not consumed count)",
                                        info_.channel);
  *request = opaque_request(Tag::receive_request, number_, posted_);
  Slot& slot = at(posted_);
  slot.posting = std::move(posting);
  slot.bytes = slot.landed = 0;
  slot.first_test.reset();
  memory_->meta().cnt[posted_ % kSlots] = 0;
  ++posted_;
  services_.stats.saw_in_flight(posted_ - consumed_);
  return kSuccess;
}

int ReceiveComm::check_testable(std::uint32_t sequence) const {
  if (sequence == reported_ && sequence != posted_) return kSuccess;
  if (sequence - reported_ < posted_ - reported_)
    return services_.report.rule_broken(
        "channel %d: test of receive %u, and the oldest unfinished is %u", info_.channel, sequence,
        reported_);
  return services_.report.rule_broken("channel %d: test of receive %u, which is done already",
                                      info_.channel, sequence);
}

int ReceiveComm::test(std::uint32_t sequence, int* done) {
  if (const int problem = check_testable(sequence)) return problem;
  if (failed_with_ != kSuccess) return failed_with_;
  if (const int problem = progress()) return problem;
  if (landed_ == reported_) return kSuccess;
  publish(reported_++);
  *done = 1;
  return kSuccess;
}

// The host, or a GPU, reads mem only after it has seen cnt.
void ReceiveComm::publish(std::uint32_t sequence) {
  at(sequence).posting.registration = {};
  __atomic_store_n(&memory_->meta().cnt[sequence % kSlots], at(sequence).pages.size(),
                   __ATOMIC_RELEASE);
}

int ReceiveComm::consume(std::uint32_t sequence) {
  Report& report = services_.report;
  if (sequence - consumed_ >= posted_ - consumed_)
    return report.rule_broken("channel %d: irecvConsumed of receive %u, which is no live one",
                              info_.channel, sequence);
  if (sequence != consumed_)
    return report.rule_broken("channel %d: irecvConsumed of receive %u, and it is the turn of %u",
                              info_.channel, sequence, consumed_);
  if (sequence == reported_)
    return report.rule_broken("channel %d: irecvConsumed of receive %u before test said done",
                              info_.channel, sequence);
  Slot& slot = at(sequence);
  ++consumed_;
  const bool poisoned = pool_.give_back(slot.pages);
  slot.pages.clear();
  return poisoned ? kSuccess : fail(kCudaError, "pages could not be given back");
}

int ReceiveComm::refuse_too_long(const Frame& frame) {
  const FrameBytes bytes = encode({FrameKind::too_long, frame.number, frame.value});
  socket_.send(bytes.data(), bytes.size());
  failed_with_ = services_.report.rule_broken(
      "channel %d: send %u of %llu bytes meets a receive of %u; the real plugin would overwrite "
      "memory",
      info_.channel, frame.number, static_cast<unsigned long long>(frame.value),
      at(landed_).posting.bytes);
  return failed_with_;
}

int ReceiveComm::accept_header(const Frame& frame) {
  if (frame.kind != FrameKind::data || frame.number != landed_)
    return fail(kRemoteError, "the peer sent what no sender sends");
  Slot& slot = at(landed_);
  if (frame.value > slot.posting.bytes) return refuse_too_long(frame);
  slot.bytes = static_cast<std::uint32_t>(frame.value);
  if (slot.bytes == 0)
    ++landed_;
  else
    in_payload_ = true;
  return kSuccess;
}

bool ReceiveComm::begin() {
  const FrameReader::State state = header_.read(socket_);
  if (state == FrameReader::State::waiting) return false;
  if (state == FrameReader::State::ended) {
    fail(kRemoteError, "the peer closed the connection with receives unfinished");
    return false;
  }
  const std::optional<Frame> frame = header_.frame();
  header_.restart();
  if (!frame) {
    fail(kRemoteError, "the peer sent what is no frame");
    return false;
  }
  return accept_header(*frame) == kSuccess;
}

// Mostly whole pages; where mixed, some as short as a TCP segment, and some of any length.
std::uint32_t ReceiveComm::next_piece_bytes(std::uint32_t left) {
  std::uint32_t bytes = kPageBytes;
  const std::uint32_t dice = services_.settings.mixed_fragments ? random_() % 100 : 0;
  if (dice >= 95)
    bytes = 1;
  else if (dice >= 85)
    bytes = 1 + random_() % (kPageBytes - 1);
  else if (dice >= 70)
    bytes = kSegmentBytes;
  return std::min(bytes, left);
}

bool ReceiveComm::open_piece(Slot& slot) {
  if (slot.pages.size() == kMaxFragments) {
    failed_with_ = services_.report.rule_broken(
        "channel %d: a receive of %u bytes in more than %u fragments; the real plugin exits",
        info_.channel, slot.bytes, kMaxFragments);
    return false;
  }
  const std::optional<std::uint32_t> page = pool_.take();
  if (!page) {
    services_.stats.pool_exhausted.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  slot.pages.push_back(*page);
  const std::uint32_t bytes = next_piece_bytes(slot.bytes - slot.landed);
  const std::uint32_t slack = kPageBytes - bytes;
  const std::uint32_t shift = services_.settings.mixed_fragments ? random_() % (slack + 1) : 0;
  piece_ = {bytes, 0, *page * kPageBytes + shift};
  return true;
}

void ReceiveComm::corrupt_if_due() {
  if (!corrupts_at_ || *corrupts_at_ < stream_bytes_) return;
  const std::uint64_t at = *corrupts_at_ - stream_bytes_;
  if (at < piece_.bytes) arriving_[at] ^= std::byte{0x40};
}

bool ReceiveComm::finish_piece(Slot& slot) {
  corrupt_if_due();
  if (!pool_.write(piece_.source_offset, arriving_.data(), piece_.bytes)) {
    fail(kCudaError, "the copy into the bounce pool failed");
    return false;
  }
  memory_->meta().mem[landed_ % kSlots][slot.pages.size() - 1] = {piece_.source_offset,
                                                                  piece_.bytes, slot.landed};
  slot.landed += piece_.bytes;
  stream_bytes_ += piece_.bytes;
  services_.stats.bytes_received.fetch_add(piece_.bytes, std::memory_order_relaxed);
  services_.stats.fragments.fetch_add(1, std::memory_order_relaxed);
  piece_ = {};
  return slot.landed < slot.bytes || finish_receive(slot);
}

// Fragments of several sockets are listed in no order: nor are these.
bool ReceiveComm::finish_receive(Slot& slot) {
  LoadMeta* const first = memory_->meta().mem[landed_ % kSlots];
  if (services_.settings.mixed_fragments) std::shuffle(first, first + slot.pages.size(), random_);
  in_payload_ = false;
  ++landed_;
  if (pool_.settle()) return true;
  fail(kCudaError, "the copies into the bounce pool failed");
  return false;
}

bool ReceiveComm::land_piece(Slot& slot) {
  if (piece_.bytes == 0 && !open_piece(slot)) return false;
  const Moved moved = socket_.receive(arriving_.data() + piece_.have, piece_.bytes - piece_.have);
  if (moved.ended) fail(kRemoteError, "the peer closed the connection with receives unfinished");
  piece_.have += static_cast<std::uint32_t>(moved.bytes);
  return piece_.have == piece_.bytes && finish_piece(slot);
}

int ReceiveComm::progress() {
  if (dies_at_ && stream_bytes_ >= *dies_at_) {
    socket_.reset();
    return fail(kRemoteError, "the connection was cut (HAWSER_EMU_FAULTS)");
  }
  if (landed_ != posted_ && socket_.peer_closed())
    return fail(kRemoteError, "the peer closed the connection with receives unfinished");
  std::uint64_t limit = stream_bytes_ + kMaxBytesPerTest;
  if (dies_at_) limit = std::min(limit, *dies_at_);
  while (landed_ != posted_ && failed_with_ == kSuccess && stream_bytes_ < limit)
    if (!(in_payload_ ? land_piece(at(landed_)) : begin())) break;
  return failed_with_;
}

void ReceiveComm::close() {
  const std::uint32_t outstanding = posted_ - consumed_;
  if (outstanding != 0) {
    services_.stats.slots_leaked.fetch_add(outstanding, std::memory_order_relaxed);
    services_.report.warn("channel %d: closeRecv with %u receives not consumed: their pages leak",
                          info_.channel, outstanding);
  }
  for (Slot& slot : slots_) slot.posting = {};
  socket_.close();
}

}  // namespace emu
