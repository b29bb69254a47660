#include "receive_comm.h"

#include <algorithm>
#include <span>

#include "tables.h"

namespace emu {
namespace {

constexpr std::uint32_t kTasksPerSocket = 6;

}  // namespace

ReceiveComm::ReceiveComm(Services services, CommInfo info, Socket socket, std::uint64_t number,
                         bool steered, BouncePool& pool, std::unique_ptr<UnpackMemory> memory,
                         std::unique_ptr<CopyRing> ring)
    : services_(services),
      info_(info),
      socket_(std::move(socket)),
      number_(number),
      steered_(steered),
      pool_(pool),
      memory_(std::move(memory)),
      dies_at_(services.faults.offset_of(kTargetPeer, info.side, info.channel)),
      corrupts_at_(services.faults.offset_of(kTargetPayload, info.side, info.channel)),
      landing_(services.settings.fragments, static_cast<std::uint32_t>(info.channel), pool,
               std::move(ring)) {
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
  slot.in_place = slot.posting.data;
  slot.copies = 0;
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
  const int problem = progress();
  warn_of_this_poll();
  if (problem != kSuccess) {
    landing_.give_up();
    return problem;
  }
  if (landed_ == reported_ || !landing_.copied(at(reported_).copies)) return kSuccess;
  publish(reported_++);
  *done = 1;
  return kSuccess;
}

// The host, or a GPU, reads mem only after it has seen cnt.
void ReceiveComm::publish(std::uint32_t sequence) {
  at(sequence).posting.registration = {};
  std::size_t count = at(sequence).pages.size();
  if (count != 0 && services_.faults.find(kTargetFragments, info_.side, info_.channel) != nullptr) {
    services_.faults.applied();
    count = 0;
  }
  __atomic_store_n(&memory_->meta().cnt[sequence % kSlots], count, __ATOMIC_RELEASE);
}

// The real one writes a line a poll, tens of thousands in seconds.
void ReceiveComm::warn_of_this_poll() {
  if (host_poll_) {
    services_.stats.host_receive_polls.fetch_add(1, std::memory_order_relaxed);
    services_.report.warn("channel %d: polled a receive into host memory", info_.channel);
    host_poll_ = stuck_;
  }
  if (in_payload_ && posted_ - landed_ > kTasksPerSocket)
    services_.report.warn("channel %d: no room for another receive task", info_.channel);
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
  if (frame.value > at(landed_).posting.bytes) return refuse_too_long(frame);
  const auto bytes = static_cast<std::uint32_t>(frame.value);
  if (bytes == 0)
    ++landed_;
  else if (into_host(at(landed_)))
    begin_host_receive(bytes);
  else
    begin_payload(bytes);
  return kSuccess;
}

// Only where there is a GPU: without one, host memory is what stands in for its memory.
bool ReceiveComm::into_host(const Slot& slot) const {
  return info_.place.on_gpu() && slot.posting.registration->type == kPointerHost;
}

// The real one does a plain recv(), which a steered socket refuses; its thread is done then.
void ReceiveComm::begin_host_receive(std::uint32_t bytes) {
  host_poll_ = true;
  stuck_ = steered_ && services_.settings.host_receives == HostReceives::never;
  if (!stuck_) in_place_left_ = bytes;
}

void ReceiveComm::begin_payload(std::uint32_t bytes) {
  if (info_.place.on_gpu() && !steered_) return end_process("rx no cmsg");
  if (!landing_.begin(bytes)) return end_process("a receive in 2048 fragments, which are too many");
  in_payload_ = true;
}

void ReceiveComm::end_process(const char* line) {
  stuck_ = true;
  services_.ending.exit_saying(line);
}

void ReceiveComm::peer_gone(const char* why) {
  gone_ = true;
  services_.report.warn("channel %d: receive: %s", info_.channel, why);
}

// The real one sees it where it waits for word of the next message. Its thread that waits for
// payload ends without a word.
int ReceiveComm::show_death() {
  const Settings& settings = services_.settings;
  if (settings.peer_death == PeerDeath::never) return kSuccess;
  if (settings.peer_death == PeerDeath::code) return failed_with_ = settings.peer_death_code;
  const std::uint32_t under_way = in_payload_ || in_place_left_ > 0 || stuck_ ? 1 : 0;
  return posted_ - landed_ > under_way ? failed_with_ = kSystemError : kSuccess;
}

bool ReceiveComm::begin() {
  const FrameReader::State state = header_.read(socket_);
  if (state == FrameReader::State::waiting) return false;
  if (state == FrameReader::State::ended) {
    peer_gone("the peer closed the connection with receives unfinished");
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

bool ReceiveComm::find_room() {
  const Landing::Room room = landing_.open_batch();
  if (room == Landing::Room::no_page)
    services_.stats.pool_exhausted.fetch_add(1, std::memory_order_relaxed);
  if (room == Landing::Room::failed) fail(kCudaError, "pages could not be given back");
  return room == Landing::Room::open;
}

void ReceiveComm::count_arrived(std::size_t bytes) {
  if (corrupts_at_ && *corrupts_at_ >= stream_bytes_ && *corrupts_at_ - stream_bytes_ < bytes)
    landing_.byte(*corrupts_at_ - stream_bytes_) ^= std::byte{0x40};
  landing_.arrived(bytes);
  stream_bytes_ += bytes;
  services_.stats.bytes_received.fetch_add(bytes, std::memory_order_relaxed);
}

bool ReceiveComm::land(Slot& slot) {
  if (!find_room()) return false;
  const std::uint64_t most = dies_at_ ? *dies_at_ - stream_bytes_ : kMaxBytesPerTest;
  const Moved moved = socket_.receive(landing_.room(most));
  if (moved.ended) peer_gone("the peer closed the connection in the middle of a message");
  count_arrived(moved.bytes);
  return landing_.batch_full() && finish_batch(slot);
}

bool ReceiveComm::land_in_place(Slot& slot) {
  host_poll_ = true;
  const std::uint64_t most = dies_at_ ? *dies_at_ - stream_bytes_ : kMaxBytesPerTest;
  const Moved moved = socket_.receive(slot.in_place, std::min<std::uint64_t>(in_place_left_, most));
  if (moved.ended) peer_gone("the peer closed the connection in the middle of a message");
  slot.in_place += moved.bytes;
  in_place_left_ -= static_cast<std::uint32_t>(moved.bytes);
  stream_bytes_ += moved.bytes;
  services_.stats.bytes_received.fetch_add(moved.bytes, std::memory_order_relaxed);
  if (in_place_left_ == 0) ++landed_;
  return moved.bytes > 0;
}

bool ReceiveComm::finish_batch(Slot& slot) {
  const std::span<const LoadMeta> pieces = landing_.pieces();
  const std::span<const std::uint32_t> pages = landing_.pages();
  std::copy(pieces.begin(), pieces.end(),
            memory_->meta().mem[landed_ % kSlots] + slot.pages.size());
  slot.pages.insert(slot.pages.end(), pages.begin(), pages.end());
  services_.stats.fragments.fetch_add(pieces.size(), std::memory_order_relaxed);
  if (!landing_.finish_batch()) {
    fail(kCudaError, "the copy into the bounce pool failed");
    return false;
  }
  if (landing_.whole()) finish_receive(slot);
  return true;
}

void ReceiveComm::finish_receive(Slot& slot) {
  landing_.arrange({memory_->meta().mem[landed_ % kSlots], slot.pages.size()});
  slot.copies = landing_.copies();
  in_payload_ = false;
  ++landed_;
}

bool ReceiveComm::step() {
  if (in_payload_) return land(at(landed_));
  return in_place_left_ > 0 ? land_in_place(at(landed_)) : begin();
}

int ReceiveComm::progress() {
  if (!landing_.poll()) return fail(kCudaError, "the copies into the bounce pool failed");
  if (!gone_ && dies_at_ && stream_bytes_ >= *dies_at_) {
    socket_.reset();
    peer_gone("the connection was cut (HAWSER_EMU_FAULTS)");
  }
  const bool looks = services_.settings.peer_death == PeerDeath::code ||
                     (!in_payload_ && in_place_left_ == 0 && !stuck_);
  if (!gone_ && looks && landed_ != posted_ && socket_.peer_closed())
    peer_gone("the peer closed the connection with receives unfinished");
  const std::uint64_t before = stream_bytes_;
  std::uint64_t limit = before + kMaxBytesPerTest;
  if (dies_at_) limit = std::min(limit, *dies_at_);
  while (landed_ != posted_ && failed_with_ == kSuccess && !stuck_ && !gone_ &&
         stream_bytes_ < limit)
    if (!step()) break;
  if (stream_bytes_ != before) socket_.acknowledge();
  return gone_ && landed_ != posted_ ? show_death() : failed_with_;
}

void ReceiveComm::close() {
  const std::uint32_t outstanding = posted_ - consumed_;
  if (outstanding != 0) {
    services_.stats.slots_leaked.fetch_add(outstanding, std::memory_order_relaxed);
    services_.report.warn("channel %d: closeRecv with %u receives not consumed: their pages leak",
                          info_.channel, outstanding);
  }
  landing_.give_up();
  for (Slot& slot : slots_) slot.posting = {};
  socket_.close();
}

}  // namespace emu
