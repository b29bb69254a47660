#include "rank.h"

#include <cstring>
#include <string>

namespace nccl_pair {
namespace {

constexpr std::size_t kFloatBytes = sizeof(float);

void* pointer(DevicePointer memory) {
  return reinterpret_cast<void*>(memory);
}

// What rank `rank` sends at `i`: no two neighbouring bytes, pieces or ranks are alike.
std::byte pattern(int rank, std::size_t i) {
  const std::uint64_t mixed = (i + 0x9e37u * static_cast<unsigned>(rank + 1)) * 0x9e3779b97f4a7c15u;
  return static_cast<std::byte>(mixed >> 56);
}

// Small whole numbers: sums of floats are exact.
float summand(int rank, std::size_t i) {
  return static_cast<float>(i % 1021 + 7 * static_cast<std::size_t>(rank));
}

std::size_t float_count(std::size_t bytes) {
  return bytes / kFloatBytes;
}

}  // namespace

std::string_view work_name(Work work) {
  switch (work) {
    case Work::ping_pong:
      return "ping-pong";
    case Work::send_receive:
      return "send-recv";
    case Work::bidirectional:
      return "bidirectional";
    case Work::all_reduce:
      return "all-reduce";
  }
  return "?";
}

Rank::Rank(const Cuda& cuda, const Nccl& nccl, const UniqueId& id, int index, std::size_t max_bytes)
    : cuda_(cuda), nccl_(nccl), index_(index), host_(max_bytes) {
  cuda_.make_current();
  stream_ = cuda_.make_stream();
  from_ = cuda_.allocate(max_bytes);
  to_ = cuda_.allocate(max_bytes);
  nccl_.check(nccl_.comm_init_rank(&comm_, kRanks, id, index_), "ncclCommInitRank");
}

Rank::~Rank() {
  nccl_.check(nccl_.comm_destroy(comm_), "ncclCommDestroy");
  cuda_.free(from_);
  cuda_.free(to_);
}

bool Rank::receives(Work work) const {
  return work != Work::send_receive || index_ == 1;
}

void Rank::prepare(Work work, std::size_t bytes) {
  if (work == Work::all_reduce) {
    for (std::size_t i = 0; i < float_count(bytes); ++i) {
      const float value = summand(index_, i);
      std::memcpy(&host_[i * kFloatBytes], &value, kFloatBytes);
    }
  } else {
    for (std::size_t i = 0; i < bytes; ++i) host_[i] = pattern(index_, i);
  }
  cuda_.upload(from_, host_.data(), bytes);
  cuda_.clear(to_, bytes);
}

void Rank::run(Work work, std::size_t bytes, int repeats) {
  for (int i = 0; i < repeats; ++i) enqueue(work, bytes);
  cuda_.wait(stream_);
}

void Rank::enqueue(Work work, std::size_t bytes) {
  const bool first = index_ == 0;
  switch (work) {
    case Work::ping_pong:
      exchange(bytes, first, !first);
      return exchange(bytes, !first, first);
    case Work::send_receive:
      return exchange(bytes, first, !first);
    case Work::bidirectional:
      return exchange(bytes, true, true);
    case Work::all_reduce:
      return nccl_.check(nccl_.all_reduce(pointer(from_), pointer(to_), float_count(bytes),
                                          kNcclFloat32, kNcclSum, comm_, stream_),
                         "ncclAllReduce");
  }
}

void Rank::exchange(std::size_t bytes, bool sends, bool receives) {
  const int peer = 1 - index_;
  nccl_.check(nccl_.group_start(), "ncclGroupStart");
  if (sends)
    nccl_.check(nccl_.send(pointer(from_), bytes, kNcclUint8, peer, comm_, stream_), "ncclSend");
  if (receives)
    nccl_.check(nccl_.receive(pointer(to_), bytes, kNcclUint8, peer, comm_, stream_), "ncclRecv");
  nccl_.check(nccl_.group_end(), "ncclGroupEnd");
}

void Rank::check(Work work, std::size_t bytes) {
  if (!receives(work)) return;
  cuda_.download(host_.data(), to_, bytes);
  work == Work::all_reduce ? check_sums(bytes) : check_bytes(bytes);
}

void Rank::check_bytes(std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i)
    if (host_[i] != pattern(1 - index_, i))
      fail("WRONG DATA at rank " + std::to_string(index_) + ": byte " + std::to_string(i) + " of " +
           std::to_string(bytes));
}

void Rank::check_sums(std::size_t bytes) {
  for (std::size_t i = 0; i < float_count(bytes); ++i) {
    float sum = 0;
    std::memcpy(&sum, &host_[i * kFloatBytes], kFloatBytes);
    if (sum != summand(0, i) + summand(1, i))
      fail("WRONG SUM at rank " + std::to_string(index_) + ": element " + std::to_string(i));
  }
}

}  // namespace nccl_pair
