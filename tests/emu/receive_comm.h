// The receiving end of a connection: payload lands in pages of the bounce pool, and the host
// learns where from the unpack metadata.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "bounce_pool.h"
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
  ReceiveComm(Services services, CommInfo info, Socket socket, std::uint64_t number,
              BouncePool& pool, std::unique_ptr<UnpackMemory> memory);

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
    std::uint32_t bytes = 0;   // of the send
    std::uint32_t landed = 0;  // of these, in the pool
    std::vector<std::uint32_t> pages;
    FirstCall first_test;
  };
  // The piece that is arriving.
  struct Piece {
    std::uint32_t bytes = 0;  // 0: none
    std::uint32_t have = 0;
    std::uint32_t source_offset = 0;
  };

  Slot& at(std::uint32_t sequence) { return slots_[sequence % kSlots]; }
  int check_testable(std::uint32_t sequence) const;
  int fail(int code, const char* why);
  int progress();
  bool begin();  // reads the next header
  int accept_header(const Frame& frame);
  int refuse_too_long(const Frame& frame);
  bool land_piece(Slot& slot);
  bool open_piece(Slot& slot);
  bool finish_piece(Slot& slot);
  bool finish_receive(Slot& slot);
  std::uint32_t next_piece_bytes(std::uint32_t left);
  void corrupt_if_due();
  void publish(std::uint32_t sequence);

  const Services services_;
  const CommInfo info_;
  Socket socket_;
  const std::uint64_t number_;
  BouncePool& pool_;
  const std::unique_ptr<UnpackMemory> memory_;
  const std::optional<std::uint64_t> dies_at_;
  const std::optional<std::uint64_t> corrupts_at_;

  std::array<Slot, kSlots> slots_;
  std::uint32_t posted_ = 0;    // receives ever posted
  std::uint32_t landed_ = 0;    // of these, whole in the pool
  std::uint32_t reported_ = 0;  // of these, reported as done
  std::uint32_t consumed_ = 0;  // of these, given back
  std::uint64_t stream_bytes_ = 0;
  int failed_with_ = kSuccess;
  FrameReader header_;
  bool in_payload_ = false;
  Piece piece_;
  std::array<std::byte, kPageBytes> arriving_{};
  std::mt19937 random_;
};

}  // namespace emu
