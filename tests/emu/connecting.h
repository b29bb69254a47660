// The side that connects, until it is connected.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "faults.h"
#include "services.h"
#include "socket.h"

namespace emu {

// One connection being made. One thread at a time (see Use).
class Connecting {
 public:
  Connecting(Services services, CommInfo info, const void* buffer, const Address& from,
             const Address& to, std::uint64_t nonce);

  const CommInfo& info() const { return info_; }
  const void* buffer() const { return buffer_; }

  // One step further. kSuccess; connected() then says whether that was the last one (never the
  // first call). A refused connection is tried again at the next call, without end.
  int poll();
  bool connected() const { return state_ == State::connected; }
  Socket take_socket() { return std::move(socket_); }

  std::atomic<bool> in_use{false};
  FirstCall first_connect;
  bool finished = false;  // handed out, or failed for good
  int failed_with = kSuccess;

 private:
  enum class State { idle, trying, greeting, connected };
  int start();
  int wait_for_connection();
  int greet();
  int problem(const char* what, int code);
  bool send_hello();

  const Services services_;
  const CommInfo info_;
  const void* const buffer_;
  const Address from_;
  const Address to_;
  const std::uint64_t nonce_;
  State state_ = State::idle;
  bool polled_ = false;
  Socket socket_;
  std::size_t hello_sent_ = 0;
  FrameReader reader_;
};

// All connections that this process ever made or began, by their handle's nonce: so that a
// handle used again is noticed. Thread-safe.
class ConnectingTable {
 public:
  std::shared_ptr<Connecting> find(std::uint64_t nonce) const;
  // false: that nonce is known already
  bool put(std::uint64_t nonce, std::shared_ptr<Connecting> connecting);

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Connecting>> all_;  // under mutex_
};

}  // namespace emu
