#include "net/unpack/unpacker.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace hawser {
namespace {

// So many fragments are there sooner by the driver's copies than by a launch: one takes 7 us and
// two 9, until they are seen to be done, and a launch 11.5 (H200, bench/unpack).
constexpr std::size_t kFewFragments = 2;

// The kernel reads the plugin's descriptors as they are.
static_assert(sizeof(Fragment) == 16 && offsetof(Fragment, bytes) == 4 &&
              offsetof(Fragment, destination_offset) == 8);

Error outside(const Fragment& fragment, const char* what, std::size_t bytes) {
  return Error(Code::plugin,
               fmt::format("a fragment of {} bytes at {} for offset {} does not fit {} of {} bytes",
                           fragment.bytes, fragment.source_offset, fragment.destination_offset,
                           what, bytes));
}

bool leaves(const Fragment& fragment, std::size_t bytes, std::size_t pool_bytes) {
  const std::uint64_t source_end = std::uint64_t{fragment.source_offset} + fragment.bytes;
  const std::uint64_t end = fragment.destination_offset + fragment.bytes;
  return (fragment.destination_offset > bytes) | (end > bytes) | (source_end > pool_bytes);
}

Error first_that_leaves(const Fragments& fragments, std::size_t bytes, std::size_t pool_bytes) {
  for (const Fragment& fragment : fragments.list) {
    if (!leaves(fragment, bytes, pool_bytes)) continue;
    return leaves(fragment, bytes, ~std::size_t{0})
               ? outside(fragment, "a receive", bytes)
               : outside(fragment, "a bounce pool", pool_bytes);
  }
  return Error(Code::internal, "no fragment leaves its receive");
}

struct Checked {
  std::uint32_t longest = 0;  // bytes of a fragment
  Unpacker::Arrival arrival;
};

// They come from the plugin: they must stay inside the receive and the pool. Looks at all of them
// without a branch: there may be thousands for a launch of some microseconds.
Result<Checked> check_fragments(const Fragments& fragments, const Unpacker::Place& place) {
  const std::size_t pool_bytes = fragments.pool_bytes != 0 ? fragments.pool_bytes : ~std::size_t{0};
  std::uint32_t longest = 0;
  std::uint64_t landed = 0, end = 0;
  bool bad = false;
  for (const Fragment& fragment : fragments.list) {
    bad |= leaves(fragment, place.bytes, pool_bytes);
    longest = std::max(longest, fragment.bytes);
    landed += fragment.bytes;
    end = std::max(end, fragment.destination_offset + fragment.bytes);
  }
  if (bad) return first_that_leaves(fragments, place.bytes, pool_bytes);
  if (place.whole ? landed != place.bytes : landed > place.bytes || landed == 0)
    return Error(Code::data, fmt::format("{} bytes came for a receive of {}", landed, place.bytes));
  return Checked{longest, {landed, end}};
}

Error wants_gpu(const std::string& who) {
  return Error(Code::unavailable,
               who +
                   " wants a GPU, and none is open: give one (--memory cuda, LinkOptions::gpu), "
                   "or let the unpack mode be auto");
}

bool in_host_memory(Reach reach) {
  return reach == Reach::pinned || reach == Reach::pageable;
}

void copy_by_cpu(const Fragments& fragments, std::byte* to) {
  for (const Fragment& fragment : fragments.list)
    std::memcpy(to + fragment.destination_offset, fragments.bounce + fragment.source_offset,
                fragment.bytes);
}

}  // namespace

Result<std::unique_ptr<Unpacker>> Unpacker::create(const UnpackOptions& options,
                                                   std::shared_ptr<Gpu> gpu,
                                                   std::size_t receive_bytes, std::size_t window) {
  std::unique_ptr<Unpacker> made(new Unpacker(options, std::move(gpu), receive_bytes, window));
  if (made->gpu_ != nullptr) {
    HAWSER_ASSIGN(made->stream_, GpuStream::create(made->gpu_, static_cast<int>(window)));
    HAWSER_TRY(made->load_kernel());
  } else if (options.mode == UnpackMode::kernel || options.mode == UnpackMode::d2d) {
    return wants_gpu(fmt::format("the unpack mode {}", unpack_mode_name(options.mode)));
  }
  return made;
}

Unpacker::Unpacker(const UnpackOptions& options, std::shared_ptr<Gpu> gpu,
                   std::size_t receive_bytes, std::size_t window)
    : options_(options), gpu_(std::move(gpu)), receive_bytes_(receive_bytes), window_(window) {
  waiting_.reserve(window);
  launching_.reserve(window);
}

// It takes milliseconds. Where it fails the log says why.
Status Unpacker::load_kernel() {
  if (options_.mode != UnpackMode::automatic && options_.mode != UnpackMode::kernel) return {};
  const auto kernel = gpu_->unpack_kernel();
  has_kernel_ = kernel.ok();
  if (!has_kernel_ && options_.mode == UnpackMode::kernel) return kernel.error();
  return {};
}

Result<Unpacker::Arrival> Unpacker::add(const Fragments& fragments, const Place& place) {
  if (place.bytes == 0) return Arrival{};
  HAWSER_ASSIGN(const Checked checked, check_fragments(fragments, place));
  HAWSER_ASSIGN(const UnpackMode mode, mode_for(fragments, place.reach));
  if (mode == UnpackMode::kernel) longest_ = std::max(longest_, checked.longest);
  if (options_.use != nullptr && mode != UnpackMode::kernel) options_.use->count(mode, place.bytes);
  HAWSER_TRY(put(mode, fragments, place));
  return checked.arrival;
}

void Unpacker::expect(MemoryKind bounce_kind) {
  Fragments any;
  any.bounce_kind = bounce_kind;
  const auto mode = mode_for(any, gpu_ != nullptr ? Reach::gpu : Reach::pageable);
  if (mode.ok() && options_.use != nullptr) options_.use->expect(*mode);
}

Result<UnpackMode> Unpacker::mode_for(const Fragments& fragments, Reach reach) const {
  if (options_.mode == UnpackMode::none) return UnpackMode::none;
  if (fragments.bounce_kind == MemoryKind::cuda) return mode_out_of_gpu(fragments, reach);
  if (options_.mode == UnpackMode::kernel || options_.mode == UnpackMode::d2d)
    return Error(Code::invalid_argument,
                 fmt::format("the unpack mode {} wants a bounce pool in GPU memory, and the "
                             "plugin's is in host memory: choose auto or host",
                             unpack_mode_name(options_.mode)));
  return UnpackMode::host;
}

Result<UnpackMode> Unpacker::mode_out_of_gpu(const Fragments& fragments, Reach reach) const {
  if (gpu_ == nullptr) return wants_gpu("the plugin's bounce pool, which is in GPU memory,");
  if (options_.mode == UnpackMode::d2d) return UnpackMode::d2d;
  if (options_.mode == UnpackMode::host)
    return in_host_memory(reach) ? UnpackMode::d2d : UnpackMode::host;
  return kernel_reaches(fragments, reach) ? UnpackMode::kernel : UnpackMode::d2d;
}

// Else it would be a fault, which takes all there is on the GPU with it.
bool Unpacker::kernel_reaches(const Fragments& fragments, Reach reach) const {
  const bool own_pool = fragments.bounce_gpu < 0 || fragments.bounce_gpu == gpu_->info().ordinal;
  return has_kernel_ && own_pool && fragments.gpu_reads_list &&
         (reach == Reach::gpu || reach == Reach::pinned);
}

Status Unpacker::put(UnpackMode mode, const Fragments& fragments, const Place& place) {
  switch (mode) {
    case UnpackMode::kernel:
      waiting_.push_back({fragments, place});
      return {};
    case UnpackMode::d2d:
      return copy_each(fragments, place.data);
    case UnpackMode::host:
      return through_host(fragments, place);
    default:
      return {};
  }
}

// Before the first of a batch reads the pool: what a NIC wrote there is to be seen.
Status Unpacker::take_in() {
  if (std::exchange(queued_, true)) return {};
  return gpu_->take_in_remote_writes();
}

Status Unpacker::copy_each(const Fragments& fragments, std::byte* to) {
  HAWSER_TRY(take_in());
  for (const Fragment& fragment : fragments.list)
    HAWSER_TRY(stream_->copy(to + fragment.destination_offset,
                             fragments.bounce + fragment.source_offset, fragment.bytes));
  return {};
}

Status Unpacker::through_host(const Fragments& fragments, const Place& place) {
  if (in_host_memory(place.reach)) {
    copy_by_cpu(fragments, place.data);
    return {};
  }
  if (gpu_ == nullptr) return wants_gpu("unpacking to GPU memory");
  HAWSER_ASSIGN(std::byte* const slot, next_slot());
  if (fragments.bounce_kind == MemoryKind::cuda)
    HAWSER_TRY(copy_each(fragments, slot));
  else
    copy_by_cpu(fragments, slot);
  HAWSER_TRY(take_in());
  return stream_->copy(place.data, slot, place.bytes);
}

// The one that was used `window` receives ago: that is finished.
Result<std::byte*> Unpacker::next_slot() {
  if (!slots_) {
    HAWSER_ASSIGN(Buffer slots, Buffer::pinned(gpu_, window_ * receive_bytes_));
    slots_.emplace(std::move(slots));
  }
  const std::size_t slot = next_slot_;
  next_slot_ = (next_slot_ + 1) % window_;
  return slots_->range().at(slot * receive_bytes_);
}

bool Unpacker::are_few() const {
  std::size_t fragments = 0;
  for (const Waiting& one : waiting_) fragments += one.fragments.list.size();
  return options_.mode == UnpackMode::automatic && fragments <= kFewFragments;
}

// What waits for the kernel. A few fragments, as of a lone frame, are the driver's to copy.
Status Unpacker::launch() {
  const bool by_copies = are_few();
  for (const auto& [fragments, place] : waiting_) {
    if (options_.use != nullptr)
      options_.use->count(by_copies ? UnpackMode::d2d : UnpackMode::kernel, place.bytes);
    if (by_copies) HAWSER_TRY(copy_each(fragments, place.data));
    launching_.push_back({device_address(fragments.list.data()), device_address(fragments.bounce),
                          device_address(place.data), fragments.list.size()});
  }
  if (!by_copies) {
    HAWSER_TRY(take_in());
    HAWSER_TRY(stream_->unpack(launching_, longest_));
  }
  launching_.clear();
  waiting_.clear();
  longest_ = 0;
  return {};
}

Result<std::uint64_t> Unpacker::submit() {
  if (!waiting_.empty()) HAWSER_TRY(launch());
  if (!std::exchange(queued_, false)) return std::uint64_t{0};
  return stream_->mark();
}

Result<bool> Unpacker::finished(std::uint64_t mark) {
  return mark == 0 ? Result<bool>(true) : stream_->finished(mark);
}

}  // namespace hawser
