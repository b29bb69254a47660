// A little memory of our own that a comm may send from or receive into.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/log.h"
#include "base/result.h"
#include "net/net.h"

namespace hawser::plugin {

// Its owner declares it before the comm, so that the memory outlives what may still be under way,
// and calls unregister() before the comm goes. Not thread-safe.
class RegisteredBlock {
 public:
  Status allocate(Comm& comm, std::size_t bytes) {
    unregister();
    auto memory = std::make_unique<std::byte[]>(bytes);
    HAWSER_ASSIGN(registration_, comm.register_memory({memory.get(), bytes, MemoryKind::host, -1}));
    comm_ = &comm;
    memory_ = std::move(memory);
    bytes_ = bytes;
    return {};
  }
  void unregister() {
    if (registration_ == nullptr) return;
    if (const Status gone = comm_->deregister(registration_); !gone.ok())
      log_warning("{}", gone.error().message());
    registration_ = nullptr;
  }

  std::byte* at(std::size_t offset) const { return memory_.get() + offset; }
  std::span<std::byte> first(std::size_t bytes) const { return {memory_.get(), bytes}; }
  std::size_t bytes() const { return bytes_; }
  Registration* registration() const { return registration_; }

 private:
  Comm* comm_ = nullptr;
  std::unique_ptr<std::byte[]> memory_;
  std::size_t bytes_ = 0;
  Registration* registration_ = nullptr;
};

}  // namespace hawser::plugin
