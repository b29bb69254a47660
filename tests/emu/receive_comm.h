// The receiving end of a connection: payload lands in pages of the bounce pool, and the host
// learns where from the unpack metadata.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "bounce_pool.h"
#include "landing.h"
#include "services.h"
#include "socket.h"
#include "unpack_layout.h"

namespace emu {

// The metadata and the handle to it, in the memory where TCPX has them. Owns both.
class UnpackMemory {
 public:
  static std::unique_ptr<UnpackMemory> create(Place place, void* bounce);
  ~UnpackMemory();
  UnpackMemory(const UnpackMemory&) = delete;
  UnpackMemory& operator=(const UnpackMemory&) = delete;

  UnpackMeta& meta() const { return *meta_; }
  void describe(DeviceHandle& out) const;

 private:
  UnpackMemory(Place place, UnpackMeta* meta, void* handle)
      : place_(place), meta_(meta), handle_(handle) {}
  const Place place_;
  UnpackMeta* const meta_;
  void* const handle_;
};

// Only test() moves bytes. One thread at a time.
class ReceiveComm {
 public:
  // `steered`: the NIC writes what comes in by this socket to the GPU.
  ReceiveComm(Services services, CommInfo info, Socket socket, std::uint64_t number, bool steered,
              BouncePool& pool, std::unique_ptr<UnpackMemory> memory,
              std::unique_ptr<CopyRing> ring);

  const CommInfo& info() const { return info_; }
  const UnpackMemory& memory() const { return *memory_; }

  // All return a result code.
  int post(Posting posting, void** request);
  int test(std::uint32_t sequence, int* done);
  int consume(std::uint32_t sequence);
  void close();

  FirstCall& first_test(std::uint32_t sequence) { return at(sequence).first_test; }

  std::atomic<bool> in_use{false};
  FirstCall first_post;

 private:
  struct Slot {
    Posting posting;
    std::byte* in_place = nullptr;  // where the next byte belongs, if it goes to host memory
    std::vector<std::uint32_t> pages;
    std::uint64_t copies = 0;  // it is whole in the pool when so many of the comm's have ended
    FirstCall first_test;
  };
  Slot& at(std::uint32_t sequence) { return slots_[sequence % kSlots]; }
  int check_testable(std::uint32_t sequence) const;
  int fail(int code, const char* why);
  int progress();
  bool step();
  bool begin();  // reads the next header
  int accept_header(const Frame& frame);
  int refuse_too_long(const Frame& frame);
  void begin_payload(std::uint32_t bytes);
  void begin_host_receive(std::uint32_t bytes);
  bool into_host(const Slot& slot) const;
  void end_process(const char* line);
  void peer_gone(const char* why);
  int show_death();
  void warn_of_this_poll();
  bool land(Slot& slot);
  bool land_in_place(Slot& slot);
  bool find_room();
  void count_arrived(std::size_t bytes);
  bool finish_batch(Slot& slot);
  void finish_receive(Slot& slot);
  void publish(std::uint32_t sequence);

  const Services services_;
  const CommInfo info_;
  Socket socket_;
  const std::uint64_t number_;
  const bool steered_;
  BouncePool& pool_;
  const std::unique_ptr<UnpackMemory> memory_;
  const std::optional<std::uint64_t> dies_at_;
  const std::optional<std::uint64_t> corrupts_at_;

  std::array<Slot, kSlots> slots_;
  std::uint32_t posted_ = 0;    // receives ever posted
  std::uint32_t landed_ = 0;    // of these, all bytes have arrived
  std::uint32_t reported_ = 0;  // of these, reported as done
  std::uint32_t consumed_ = 0;  // of these, given back
  std::uint64_t stream_bytes_ = 0;
  int failed_with_ = kSuccess;
  FrameReader header_;
  bool in_payload_ = false;          // of a receive that lands in the pool
  std::uint32_t in_place_left_ = 0;  // of one whose bytes go straight to host memory
  bool stuck_ = false;               // nothing moves on this socket any more
  bool host_poll_ = false;           // this test polled a receive into host memory
  bool gone_ = false;                // the peer is
  Landing landing_;
};

}  // namespace emu
