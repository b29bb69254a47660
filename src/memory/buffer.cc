#include "memory/buffer.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "gpu/gpu.h"

namespace hawser {
namespace {

Status check_size(const char* kind, std::size_t bytes) {
  if (bytes == 0 || bytes > SIZE_MAX - kPageBytes)
    return Error(Code::invalid_argument, fmt::format("a {} buffer of {} bytes", kind, bytes));
  return {};
}

std::size_t round_up_to_page(std::size_t bytes) {
  return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

void* align_up_to_page(void* memory) {
  return reinterpret_cast<void*>(round_up_to_page(reinterpret_cast<std::uintptr_t>(memory)));
}

void log_failed_free(const char* kind, const Gpu& gpu, const Status& status) {
  if (!status.ok())
    log_warning("freeing a {} buffer of {}: {}", kind, gpu.label(), status.error().message());
}

}  // namespace

Buffer::Buffer(MemoryRange range, std::shared_ptr<void> allocation, std::shared_ptr<Gpu> gpu)
    : range_(range), allocation_(std::move(allocation)), gpu_(std::move(gpu)) {}

Result<Buffer> Buffer::host(std::size_t bytes) {
  HAWSER_TRY(check_size("host", bytes));
  const std::size_t whole_pages = round_up_to_page(bytes);
  void* memory = std::aligned_alloc(kPageBytes, whole_pages);
  if (memory == nullptr)
    return system_error(ENOMEM, fmt::format("allocating {} host bytes", bytes));
  std::memset(memory, 0, whole_pages);
  return Buffer({memory, bytes, MemoryKind::host, -1}, {memory, &std::free}, nullptr);
}

Result<Buffer> Buffer::pinned(std::shared_ptr<Gpu> gpu, std::size_t bytes) {
  HAWSER_TRY(check_size("pinned", bytes));
  HAWSER_ASSIGN(void* const memory, gpu->allocate_pinned(bytes + kPageBytes - 1));
  const std::shared_ptr<void> allocation(
      memory, [gpu](void* made) { log_failed_free("pinned", *gpu, gpu->free_pinned(made)); });
  return Buffer({align_up_to_page(memory), bytes, MemoryKind::host, -1}, allocation, nullptr);
}

Result<Buffer> Buffer::cuda(std::shared_ptr<Gpu> gpu, std::size_t bytes) {
  HAWSER_TRY(check_size("cuda", bytes));
  HAWSER_ASSIGN(void* const memory, gpu->allocate(round_up_to_page(bytes) + kPageBytes - 1));
  const std::shared_ptr<void> allocation(
      memory, [gpu](void* made) { log_failed_free("cuda", *gpu, gpu->free(made)); });
  return Buffer({align_up_to_page(memory), bytes, MemoryKind::cuda, gpu->info().ordinal},
                allocation, gpu);
}

Status Buffer::check_bounds(const char* doing, std::size_t offset, std::size_t bytes) const {
  if (offset <= range_.bytes && bytes <= range_.bytes - offset) return {};
  return Error(Code::invalid_argument,
               fmt::format("{} {} bytes at offset {} of a buffer of {} bytes", doing, bytes, offset,
                           range_.bytes));
}

Status Buffer::write(std::size_t offset, std::span<const std::byte> from) {
  HAWSER_TRY(check_bounds("writing", offset, from.size()));
  if (gpu_ != nullptr) return gpu_->copy_to_device(range_.at(offset), from.data(), from.size());
  if (!from.empty()) std::memcpy(range_.at(offset), from.data(), from.size());
  return {};
}

Status Buffer::read(std::size_t offset, std::span<std::byte> to) const {
  HAWSER_TRY(check_bounds("reading", offset, to.size()));
  if (gpu_ != nullptr) return gpu_->copy_to_host(to.data(), range_.at(offset), to.size());
  if (!to.empty()) std::memcpy(to.data(), range_.at(offset), to.size());
  return {};
}

}  // namespace hawser
