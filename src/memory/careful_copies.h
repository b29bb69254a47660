// Copies of memory whose mapping may vanish at any moment: told, where a plain copy would fault.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "base/result.h"
#include "gpu/block_copy.h"
#include "memory/page_file.h"
#include "memory/range.h"

namespace hawser {

// The kernel copies, by one call for many blocks. It costs least where one side of each is memory
// that was made here, the blocks one behind the other there. Where the kernel may not be asked to
// at all, it is memcpy. Not thread-safe.
class CarefulCopies {
 public:
  // `file` may be null.
  explicit CarefulCopies(std::shared_ptr<PageFile> file) : file_(std::move(file)) {}

  // Of ours, on a page; it lives as long as this object. What is never touched is never the
  // kernel's to give.
  std::byte* make_own(std::size_t bytes);

  // How many blocks were copied, the first first. Where the next one was not: errno says why.
  struct Outcome {
    std::size_t copied = 0;
    int err = 0;
  };
  Outcome copy(std::span<const BlockCopy> blocks) const;
  // Why one was not, in words.
  Error failure(const BlockCopy& block, int err) const;

  // Whether each page of it can be read; the first that cannot.
  Status check_readable(const MemoryRange& range);

 private:
  struct FreePages {
    void operator()(std::byte* memory) const {
      ::operator delete (memory, std::align_val_t{kPageBytes});
    }
  };
  const FilePages* pages_of(const void* first, std::size_t bytes) const;

  const std::shared_ptr<PageFile> file_;
  std::vector<std::unique_ptr<FilePages>> pages_;
  std::vector<std::unique_ptr<std::byte, FreePages>> plain_;
  std::byte* probed_ = nullptr;  // where a byte of each page goes
};

}  // namespace hawser
