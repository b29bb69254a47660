// One rank: its copy of NCCL, its communicator, its buffers on the GPU, and what it does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "libraries.h"

namespace nccl_pair {

enum class Work {
  ping_pong,      // one message each way, in turn
  send_receive,   // rank 0 to rank 1
  bidirectional,  // both ways at once
  all_reduce,     // float sums
};
std::string_view work_name(Work work);

// Driven by one thread, its own.
class Rank {
 public:
  static constexpr int kRanks = 2;

  Rank(const Cuda& cuda, const Nccl& nccl, const UniqueId& id, int index, std::size_t max_bytes);
  ~Rank();
  Rank(const Rank&) = delete;
  Rank& operator=(const Rank&) = delete;

  // Makes the memory such that check() can tell a transfer that has been from one that has not.
  void prepare(Work work, std::size_t bytes);
  // Enqueues it `repeats` times, and waits for the end.
  void run(Work work, std::size_t bytes, int repeats);
  // Ends the program where a byte is not what it must be.
  void check(Work work, std::size_t bytes);

 private:
  void enqueue(Work work, std::size_t bytes);
  void exchange(std::size_t bytes, bool sends, bool receives);
  void check_bytes(std::size_t bytes);
  void check_sums(std::size_t bytes);
  bool receives(Work work) const;

  const Cuda& cuda_;
  const Nccl& nccl_;
  const int index_;
  NcclComm comm_ = nullptr;
  CudaStream stream_ = nullptr;
  DevicePointer from_ = 0;
  DevicePointer to_ = 0;
  std::vector<std::byte> host_;
};

}  // namespace nccl_pair
