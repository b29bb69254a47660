#include "net/hosted/unpack_reader.h"

#include <fmt/core.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <optional>

#include "base/log.h"
#include "gpu/gpu.h"

namespace hawser {
namespace {

// The plugin writes LoadMeta, we hand out Fragment: the same 16 bytes.
static_assert(sizeof(Fragment) == sizeof(abi::LoadMeta));
static_assert(offsetof(Fragment, source_offset) == offsetof(abi::LoadMeta, src_off));
static_assert(offsetof(Fragment, bytes) == offsetof(abi::LoadMeta, len));
static_assert(offsetof(Fragment, destination_offset) == offsetof(abi::LoadMeta, dst_off));

bool is_on_gpu(const Gpu* gpu, const void* address) {
  return gpu != nullptr && is_device_pointer(gpu->driver(), address);
}

Status check_handle(const abi::DeviceHandle& handle, const Gpu* gpu, bool real) {
  if (handle.netDeviceType != abi::kDeviceUnpack || handle.handle == nullptr)
    return Error(Code::plugin, "the device unpacks, but accept gave no device handle for it");
  if (handle.size != 0 && handle.size < sizeof(abi::UnpackNetDeviceHandle))
    return Error(Code::plugin, fmt::format("the device handle has {} bytes, want at least {}",
                                           handle.size, sizeof(abi::UnpackNetDeviceHandle)));
  if (real && gpu == nullptr)
    return Error(Code::unavailable,
                 "the plugin's device handle lies in GPU memory, and no GPU was opened for it");
  return {};
}

Result<abi::UnpackNetDeviceHandle> read_handle(const void* at, const Gpu* gpu) {
  abi::UnpackNetDeviceHandle handle{};
  if (is_on_gpu(gpu, at))
    HAWSER_TRY(gpu->copy_to_host(&handle, at, sizeof handle));
  else
    std::memcpy(&handle, at, sizeof handle);
  return handle;
}

// From there to the end of its allocation, as the driver knows it.
std::size_t bytes_of_pool(const std::byte* bounce, const Gpu& gpu) {
  const auto allocation = gpu.allocation_of(bounce);
  if (allocation.ok())
    return static_cast<std::size_t>(allocation->data() + allocation->size() - bounce);
  log_info("the driver does not know the size of the bounce pool: {}",
           allocation.error().message());
  return 0;
}

Error unknown_pool(const Gpu& gpu, const void* bounce) {
  return Error(Code::plugin,
               fmt::format("the bounce pool at {} is no memory that the driver of {} knows: the "
                           "plugin has let go of it, as it does where two connections of a GPU are "
                           "made at the same time",
                           bounce, gpu.label()));
}

Error foreign_pool(const Gpu& gpu, int owner) {
  return Error(Code::plugin,
               fmt::format("the bounce pool is memory of GPU {}, and the connection was made for "
                           "{}: another context was current when it was made",
                           owner, gpu.label()));
}

// With a GPU the pool is memory of it, or, where it is emulated so, the host's that the driver has
// pinned: an address that it does not know is no memory to read from.
Result<Fragments> describe_pool(const abi::UnpackNetDeviceHandle& unpack, const Gpu* gpu) {
  Fragments pool;
  pool.bounce = static_cast<const std::byte*>(unpack.bounce_buf);
  if (gpu == nullptr || is_pinned_pointer(gpu->driver(), pool.bounce)) return pool;
  const std::optional<int> owner = gpu_of_pointer(gpu->driver(), pool.bounce);
  if (!owner) return unknown_pool(*gpu, pool.bounce);
  if (*owner != gpu->info().ordinal) return foreign_pool(*gpu, *owner);
  pool.bounce_kind = MemoryKind::cuda;
  pool.bounce_gpu = *owner;
  pool.pool_bytes = bytes_of_pool(pool.bounce, *gpu);
  pool.gpu_reads_list = is_pinned_pointer(gpu->driver(), unpack.meta);
  return pool;
}

}  // namespace

Result<UnpackReader> UnpackReader::open(const abi::DeviceHandle& handle, const Gpu* gpu,
                                        bool real) {
  HAWSER_TRY(check_handle(handle, gpu, real));
  HAWSER_ASSIGN(const abi::UnpackNetDeviceHandle unpack, read_handle(handle.handle, gpu));
  if (unpack.meta == nullptr || unpack.bounce_buf == nullptr ||
      reinterpret_cast<std::uintptr_t>(unpack.meta) % alignof(abi::NetUnpackMeta) != 0) {
    return Error(Code::plugin,
                 fmt::format("bad unpack metadata: meta={}, bounce_buf={}",
                             static_cast<const void*>(unpack.meta), unpack.bounce_buf));
  }
  UnpackReader reader;
  reader.meta_ = unpack.meta;
  HAWSER_ASSIGN(reader.pool_, describe_pool(unpack, gpu));
  return reader;
}

Result<Fragments> UnpackReader::fragments(std::uint64_t sequence) const {
  const std::size_t slot = sequence % abi::kUnpackSlots;
  // The plugin writes the fragments, then the count: acquire makes the former visible.
  const std::uint64_t count =
      std::atomic_ref<std::uint64_t>(meta_->cnt[slot]).load(std::memory_order_acquire);
  if (count > abi::kUnpackFragments) {
    return Error(Code::plugin,
                 fmt::format("receive {} claims {} fragments in slot {}, more than {}", sequence,
                             count, slot, abi::kUnpackFragments));
  }
  const auto* const list = reinterpret_cast<const Fragment*>(meta_->mem[slot]);
  Fragments found = pool_;
  found.list = {list, static_cast<std::size_t>(count)};
  return found;
}

}  // namespace hawser
