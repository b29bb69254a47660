#include "memory/careful_copies.h"

#include <fmt/core.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "memory/access.h"

namespace hawser {
namespace {

// Parts of one call.
constexpr std::size_t kParts = 512;
// Of our own memory between two blocks that are copied out of it: what a record of a frame takes.
constexpr std::size_t kLargestGap = 256;
constexpr std::size_t kProbedAtATime = kParts;

// What one call copies: blocks that lie one behind the other in our own memory, with small gaps
// where it is read. A gap goes nowhere.
class Run {
 public:
  Run(const FilePages& pages, bool into) : pages_(pages), into_(into) {}

  // False: it does not belong to it any more.
  bool add(const BlockCopy& block) {
    if (block.bytes == 0) return ++blocks_ > 0;
    const auto* const own = static_cast<const std::byte*>(into_ ? block.destination : block.source);
    if (count_ == 0) begin_ = end_ = own;
    if (count_ + 2 > kParts || own < end_ || !pages_.holds(own, block.bytes)) return false;
    const auto gap = static_cast<std::size_t>(own - end_);
    if (gap > (into_ ? 0 : kLargestGap)) return false;
    if (gap > 0) parts_[count_++] = {gap_.data(), gap};
    void* const other = into_ ? const_cast<void*>(block.source) : block.destination;
    parts_[count_++] = {other, block.bytes};
    end_ = own + block.bytes;
    return ++blocks_ > 0;
  }

  CarefulCopies::Outcome copy(std::span<const BlockCopy> blocks) {
    std::size_t moved = 0;
    const auto bytes = static_cast<std::size_t>(end_ - begin_);
    std::span<iovec> left = std::span(parts_).first(count_);
    int err = 0;
    while (moved < bytes && err == 0) {
      const ssize_t some = call(left, pages_.offset_of(begin_) + static_cast<off_t>(moved));
      if (some > 0) {
        moved += static_cast<std::size_t>(some);
        left = rest_of(left, static_cast<std::size_t>(some));
      } else if (some == 0 || errno != EINTR) {
        err = some == 0 ? EFAULT : errno;
      }
    }
    if (err == 0) return {blocks_, 0};
    return {whole_blocks(blocks, moved), err};
  }

 private:
  ssize_t call(std::span<iovec> parts, off_t at) const {
    const int fd = pages_.fd();
    const auto& first = parts.front();
    const int count = static_cast<int>(parts.size());
    if (into_)
      return count == 1 ? ::pwrite(fd, first.iov_base, first.iov_len, at)
                        : ::pwritev(fd, parts.data(), count, at);
    return count == 1 ? ::pread(fd, first.iov_base, first.iov_len, at)
                      : ::preadv(fd, parts.data(), count, at);
  }
  static std::span<iovec> rest_of(std::span<iovec> parts, std::size_t done) {
    while (!parts.empty() && done >= parts.front().iov_len) {
      done -= parts.front().iov_len;
      parts = parts.subspan(1);
    }
    if (done > 0) {
      iovec& first = parts.front();
      first = {static_cast<std::byte*>(first.iov_base) + done, first.iov_len - done};
    }
    return parts;
  }
  std::size_t whole_blocks(std::span<const BlockCopy> blocks, std::size_t moved) const {
    std::size_t whole = 0;
    for (; whole < blocks_; ++whole) {
      const BlockCopy& block = blocks[whole];
      const auto* const own =
          static_cast<const std::byte*>(into_ ? block.destination : block.source);
      if (block.bytes > 0 && own + block.bytes > begin_ + moved) break;
    }
    return whole;
  }

  const FilePages& pages_;
  const bool into_;  // our own memory; else out of it
  const std::byte* begin_ = nullptr;
  const std::byte* end_ = nullptr;
  std::size_t blocks_ = 0;
  std::size_t count_ = 0;
  std::array<iovec, kParts> parts_;
  std::array<std::byte, kLargestGap> gap_;
};

// The one system call that copies any memory to any other. It takes pages of the source for itself,
// which some mappings of devices do not allow; the other one those of the destination.
ssize_t copy_within_process(std::span<iovec> to, std::span<iovec> from) {
  const ssize_t read =
      ::process_vm_readv(::getpid(), to.data(), to.size(), from.data(), from.size(), 0);
  return read > 0
             ? read
             : ::process_vm_writev(::getpid(), from.data(), from.size(), to.data(), to.size(), 0);
}

CarefulCopies::Outcome copy_by_process(std::span<const BlockCopy> blocks) {
  std::array<iovec, kParts> to, from;
  std::size_t taken = 0, count = 0;
  for (; taken < blocks.size() && count < kParts; ++taken) {
    if (blocks[taken].bytes == 0) continue;
    to[count] = {blocks[taken].destination, blocks[taken].bytes};
    from[count++] = {const_cast<void*>(blocks[taken].source), blocks[taken].bytes};
  }
  if (count == 0) return {taken, 0};
  const ssize_t moved =
      copy_within_process(std::span(to).first(count), std::span(from).first(count));
  if (moved < 0 && (errno == EPERM || errno == ENOSYS)) {
    for (std::size_t i = 0; i < count; ++i)
      std::memcpy(to[i].iov_base, from[i].iov_base, to[i].iov_len);
    return {taken, 0};
  }
  const int err = moved < 0 ? errno : EFAULT;
  auto left = static_cast<std::size_t>(std::max<ssize_t>(moved, 0));
  std::size_t whole = 0;
  for (; whole < taken && blocks[whole].bytes <= left; ++whole) left -= blocks[whole].bytes;
  return {whole, whole == taken ? 0 : err};
}

}  // namespace

std::byte* CarefulCopies::make_own(std::size_t bytes) {
  if (file_ != nullptr) {
    if (auto made = file_->allocate(bytes); made.ok()) {
      pages_.push_back(*std::move(made));
      return pages_.back()->data();
    }
  }
  plain_.emplace_back(
      static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kPageBytes})));
  return plain_.back().get();
}

const FilePages* CarefulCopies::pages_of(const void* first, std::size_t bytes) const {
  for (const auto& pages : pages_)
    if (pages->holds(first, bytes)) return pages.get();
  return nullptr;
}

CarefulCopies::Outcome CarefulCopies::copy(std::span<const BlockCopy> blocks) const {
  std::size_t done = 0;
  while (done < blocks.size()) {
    const std::span<const BlockCopy> left = blocks.subspan(done);
    const BlockCopy& first = left.front();
    const FilePages* const to = pages_of(first.destination, first.bytes);
    const FilePages* const from = to == nullptr ? pages_of(first.source, first.bytes) : nullptr;
    Outcome outcome;
    if (to == nullptr && from == nullptr) {
      outcome = copy_by_process(left);
    } else {
      Run run(to != nullptr ? *to : *from, to != nullptr);
      for (const BlockCopy& block : left)
        if (!run.add(block)) break;
      outcome = run.copy(left);
    }
    done += outcome.copied;
    if (outcome.err != 0) return {done, outcome.err};
  }
  return {done, 0};
}

Error CarefulCopies::failure(const BlockCopy& block, int err) const {
  if (err != EFAULT && err != ENOMEM && err != EIO)
    return system_error(err, fmt::format("copying {} bytes", block.bytes));
  const bool reads = pages_of(block.destination, block.bytes) != nullptr;
  const bool writes = pages_of(block.source, block.bytes) != nullptr;
  const void* const at = writes ? block.destination : block.source;
  if (reads || writes) return cannot_touch(at, block.bytes, reads ? Access::read : Access::write);
  return Error(Code::invalid_argument,
               fmt::format("{} bytes from {} cannot be copied to {}: one of them is not mapped any "
                           "more, or not for that",
                           block.bytes, block.source, block.destination));
}

Status CarefulCopies::check_readable(const MemoryRange& range) {
  if (probed_ == nullptr) probed_ = make_own(kProbedAtATime);
  const std::uintptr_t end = range.address() + range.bytes;
  std::array<BlockCopy, kProbedAtATime> probes;
  for (std::uintptr_t at = range.address(); at < end;) {
    std::size_t count = 0;
    for (; at < end && count + 1 < probes.size(); at = (at / kPageBytes + 1) * kPageBytes, ++count)
      probes[count] = {probed_ + count, reinterpret_cast<const void*>(at), 1};
    const Outcome outcome = copy(std::span(probes).first(count));
    if (outcome.err != 0)
      return cannot_touch(probes[outcome.copied].source, range.bytes, Access::read);
  }
  return {};
}

}  // namespace hawser
