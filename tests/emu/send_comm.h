// The sending end of a connection.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "copy_ring.h"
#include "services.h"
#include "socket.h"
#include "unpack_layout.h"

namespace emu {

// Sends from host memory are done when the kernel has them, those from a GPU when the peer's kernel
// has them. Only test() moves bytes. One thread at a time.
class SendComm {
 public:
  SendComm(Services services, const Cuda* cuda, CommInfo info, Socket socket, std::uint64_t number);

  const CommInfo& info() const { return info_; }

  // Both return a result code.
  int post(Posting posting, void** request);
  int test(std::uint32_t sequence, int* done);
  void close();

  // Of the request with that number: when it was first tested.
  FirstCall& first_test(std::uint32_t sequence);

  std::atomic<bool> in_use{false};
  FirstCall first_post;

 private:
  struct Request {
    Posting posting;
    std::size_t offset = 0;       // of header + payload, what was written
    CopyRing* staging = nullptr;  // of payload in GPU memory
    std::size_t staged = 0;       // of that, what is being copied out, or was
    FirstCall first_test;
    std::uint64_t end = 0;  // once written: of the connection's bytes, how many are before its end
  };

  Request& at(std::uint32_t sequence) { return ring_[sequence % kSlots]; }
  int check_testable(std::uint32_t sequence) const;
  int fail(int code, const char* why);
  int progress();
  int read_refusal();
  void peer_gone(const char* why);
  int show_death();
  bool finished(const Request& request);
  bool write_header(Request& request);
  bool write_payload(Request& request);
  int find_staging(const Registration& registration, CopyRing*& staging);
  bool stage_ahead();
  const std::byte* payload_at(const Request& request, std::size_t offset, std::size_t& bytes);
  const std::byte* staged_at(const Request& request, std::size_t offset, std::size_t& bytes);
  bool write(Request& request, const std::byte* data, std::size_t bytes, bool more_follows);
  bool past_death() const { return dies_at_ && stream_bytes_ >= *dies_at_; }

  const Services services_;
  const Cuda* const cuda_;
  const CommInfo info_;
  Socket socket_;
  const std::uint64_t number_;
  const std::optional<std::uint64_t> dies_at_;

  std::array<Request, kSlots> ring_;
  std::uint32_t posted_ = 0;        // requests ever posted
  std::uint32_t written_ = 0;       // of these, written whole
  std::uint32_t reported_ = 0;      // of these, reported as done
  std::uint64_t stream_bytes_ = 0;  // payload
  std::uint64_t sent_bytes_ = 0;    // payload and headers
  std::uint64_t acknowledged_bytes_ = 0;
  bool gone_ = false;  // the peer is
  int failed_with_ = kSuccess;
  FrameReader refusal_;

  // For GPU memory, by context: made at the first send from it.
  std::map<CudaContext, std::unique_ptr<CopyRing>> staging_;
  std::uint32_t staging_next_ = 0;  // the first request that may have something left to copy out
};

}  // namespace emu
