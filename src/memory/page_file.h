// Memory of our own that is a file, too: the kernel copies between it and memory that may not be
// there, and says so where a plain copy would fault.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

#include "base/fd.h"
#include "base/result.h"

namespace hawser {

class FilePages;

// Thread-safe. One descriptor, whatever lies in it; none in a child of fork().
class PageFile : public std::enable_shared_from_this<PageFile> {
 public:
  // Code::unavailable, Code::system: this process may have none.
  static Result<std::shared_ptr<PageFile>> create();
  // Null where it may have none, which is logged: copies take longer then.
  static std::shared_ptr<PageFile> create_if_possible();

  // Whole pages, all zero.
  Result<std::unique_ptr<FilePages>> allocate(std::size_t bytes);
  int fd() const { return fd_.get(); }

 private:
  friend class FilePages;
  explicit PageFile(UniqueFd fd) : fd_(std::move(fd)) {}
  Result<off_t> take(std::size_t bytes);
  void give_back(off_t at, std::size_t bytes);

  const UniqueFd fd_;
  std::mutex mutex_;  // guards what follows
  off_t end_ = 0;
  std::multimap<std::size_t, off_t> free_;  // by bytes: there are few sizes
};

// Owns its mapping, and keeps its file. Immutable; what is inside is its user's affair.
class FilePages {
 public:
  ~FilePages();
  FilePages(const FilePages&) = delete;
  FilePages& operator=(const FilePages&) = delete;

  std::byte* data() const { return data_; }
  bool holds(const void* first, std::size_t bytes) const;
  // Where in the file.
  off_t offset_of(const void* inside) const {
    return at_ + (static_cast<const std::byte*>(inside) - data_);
  }
  int fd() const { return file_->fd(); }

 private:
  friend class PageFile;
  FilePages(std::shared_ptr<PageFile> file, std::byte* data, std::size_t bytes, off_t at)
      : file_(std::move(file)), data_(data), bytes_(bytes), at_(at) {}

  const std::shared_ptr<PageFile> file_;
  std::byte* const data_;
  const std::size_t bytes_;
  const off_t at_;
};

}  // namespace hawser
