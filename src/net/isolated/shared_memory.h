// Memory of two processes.
#pragma once

#include <cstddef>
#include <memory>

#include "base/fd.h"
#include "base/result.h"

namespace hawser::isolate {

// Owns the mapping. Its size never changes, on neither side, so what is inside can always be
// touched. Pages cost nothing before they are. Not thread-safe; what lies in it is its users'
// affair.
class SharedMemory {
 public:
  static Result<std::unique_ptr<SharedMemory>> create(const char* name, std::size_t bytes);
  // What another process created, of at least so many bytes.
  static Result<std::unique_ptr<SharedMemory>> open(UniqueFd fd, std::size_t least_bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  int fd() const { return fd_.get(); }  // to hand out
  void close_fd() { fd_.reset(); }      // the mapping stays

 private:
  SharedMemory(UniqueFd fd, std::byte* data, std::size_t bytes)
      : fd_(std::move(fd)), data_(data), bytes_(bytes) {}
  static Result<std::unique_ptr<SharedMemory>> map(UniqueFd fd, std::size_t bytes);

  UniqueFd fd_;
  std::byte* data_;
  std::size_t bytes_;
};

}  // namespace hawser::isolate
