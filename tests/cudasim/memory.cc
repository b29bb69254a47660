#include "memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace cudasim {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kSpaceBytes = kMaxDevices * kDeviceBytes;
// Every small block starts this far into a page: all that CUDA promises is a smaller alignment
// than a page, and who needs a page must see to it. Large ones get large pages, as on a GPU.
constexpr std::size_t kAlignment = 512;
constexpr std::size_t kLargeBytes = std::size_t{1} << 20;
constexpr std::size_t kLargeAlignment = std::size_t{2} << 20;
constexpr int kPoison = 0xA5;  // new memory is not zero

std::size_t round_up(std::size_t bytes, std::size_t to = kPage) {
  return (bytes + to - 1) / to * to;
}

std::size_t round_down(std::size_t bytes) {
  return bytes / kPage * kPage;
}

// Where a block of that size starts, at `page` or behind it.
CUdeviceptr start_of_block(CUdeviceptr page, std::size_t bytes) {
  return bytes >= kLargeBytes ? round_up(page, kLargeAlignment) : page + kAlignment;
}

void* map(int protection, std::size_t bytes, int flags) {
  void* at = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  return at == MAP_FAILED ? nullptr : at;
}

CUdeviceptr number(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address);
}

void* pointer(CUdeviceptr address) {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(address));
}

}  // namespace

Memory::Memory()
    : base_(number(map(PROT_NONE, kSpaceBytes, MAP_NORESERVE))),
      backing_(static_cast<std::byte*>(map(PROT_READ | PROT_WRITE, kSpaceBytes, MAP_NORESERVE))) {
  if (base_ != 0 && backing_ != nullptr) return;
  std::perror("simulated CUDA driver: mmap");
  std::abort();
}

bool Memory::in_reservation(CUdeviceptr address) const {
  return address >= base_ && address - base_ < kSpaceBytes;
}

// First fit. Blocks of different allocations never share a page.
std::optional<CUdeviceptr> Memory::find_room(int device, std::size_t bytes) const {
  const CUdeviceptr begin = base_ + static_cast<std::size_t>(device) * kDeviceBytes;
  const CUdeviceptr end = begin + kDeviceBytes;
  CUdeviceptr candidate = start_of_block(begin, bytes);
  for (auto next = blocks_.lower_bound(begin); next != blocks_.end() && next->first < end; ++next) {
    if (round_up(candidate + bytes) <= round_down(next->first)) return candidate;
    candidate = start_of_block(round_up(next->first + next->second.bytes), bytes);
  }
  if (candidate >= end || end - candidate < bytes) return std::nullopt;
  return candidate;
}

CUresult Memory::allocate_device(int device, std::size_t bytes, CUdeviceptr* address) {
  if (address == nullptr || bytes == 0) return kInvalidValue;
  if (bytes > kDeviceBytes) return kOutOfMemory;
  const std::lock_guard lock(mutex_);
  const auto room = find_room(device, bytes);
  if (!room) return kOutOfMemory;
  blocks_[*room] = {kMemoryDevice, device, *room, bytes};
  std::memset(backing(*room), kPoison, bytes);
  *address = *room;
  return kSuccess;
}

CUresult Memory::free_device(CUdeviceptr address) {
  const std::lock_guard lock(mutex_);
  const auto found = blocks_.find(address);
  if (found == blocks_.end() || found->second.type != kMemoryDevice) return kInvalidValue;
  const std::size_t into_page = address - round_down(address);
  madvise(backing(address) - into_page, round_up(found->second.bytes + into_page), MADV_DONTNEED);
  blocks_.erase(found);
  return kSuccess;
}

CUresult Memory::reserve(int device, std::size_t bytes, CUdeviceptr* address) {
  if (address == nullptr || bytes == 0) return kInvalidValue;
  if (bytes > kDeviceBytes) return kOutOfMemory;
  const std::lock_guard lock(mutex_);
  const auto room = find_room(device, bytes);
  if (!room) return kOutOfMemory;
  blocks_[*room] = {kMemoryNone, device, *room, bytes};
  *address = *room;
  return kSuccess;
}

// The pages of a block's end are its own, so that what is exported may reach as far as they do.
bool Memory::exportable(CUdeviceptr address, std::size_t bytes) const {
  if (address % kPage != 0 || bytes % kPage != 0 || bytes == 0) return false;
  const auto block = find(address);
  if (!block || block->type != kMemoryDevice) return false;
  return bytes <= round_up(block->start + block->bytes) - address;
}

CUresult Memory::allocate_pinned(int device, std::size_t bytes, void** address) {
  if (address == nullptr || bytes == 0) return kInvalidValue;
  void* const made = map(PROT_READ | PROT_WRITE, round_up(bytes), 0);
  if (made == nullptr) return kOutOfMemory;
  std::memset(made, kPoison, bytes);
  const std::lock_guard lock(mutex_);
  blocks_[number(made)] = {kMemoryHost, device, number(made), bytes};
  *address = made;
  return kSuccess;
}

CUresult Memory::free_pinned(void* address) {
  const std::lock_guard lock(mutex_);
  const auto found = blocks_.find(number(address));
  if (found == blocks_.end() || found->second.type != kMemoryHost) return kInvalidValue;
  munmap(address, round_up(found->second.bytes));
  blocks_.erase(found);
  return kSuccess;
}

std::optional<Block> Memory::find_locked(CUdeviceptr address) const {
  auto after = blocks_.upper_bound(address);
  if (after == blocks_.begin()) return std::nullopt;
  const Block& block = std::prev(after)->second;
  if (block.type == kMemoryNone || address - block.start >= block.bytes) return std::nullopt;
  return block;
}

std::optional<Block> Memory::find(CUdeviceptr address) const {
  const std::lock_guard lock(mutex_);
  return find_locked(address);
}

std::byte* Memory::resolve(CUdeviceptr address, std::size_t bytes) const {
  const std::lock_guard lock(mutex_);
  const auto block = find_locked(address);
  if (!block) return in_reservation(address) ? nullptr : static_cast<std::byte*>(pointer(address));
  if (bytes > block->bytes - (address - block->start)) return nullptr;
  return block->type == kMemoryDevice ? backing(address)
                                      : static_cast<std::byte*>(pointer(address));
}

bool Memory::pageable(CUdeviceptr address) const {
  return !find(address) && !in_reservation(address);
}

std::size_t Memory::count(MemoryType type) const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const auto& [start, block] : blocks_) sum += block.type == type ? 1 : 0;
  return sum;
}

std::size_t Memory::device_bytes() const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const auto& [start, block] : blocks_) sum += block.type == kMemoryDevice ? block.bytes : 0;
  return sum;
}

}  // namespace cudasim
