// Puts what receives left in a bounce pool in its place, in one of several ways.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "gpu/gpu.h"
#include "gpu/unpack_kernel.h"
#include "memory/buffer.h"
#include "net/net.h"
#include "net/unpack/unpack_mode.h"

namespace hawser {

struct UnpackOptions {
  UnpackMode mode = UnpackMode::automatic;
  std::shared_ptr<UnpackUse> use;  // where it is counted; may be null
};

// Where bytes belong, as who can write there.
enum class Reach {
  gpu,        // memory of the unpacker's GPU
  pinned,     // of the host, and the GPU can write it
  pageable,   // of the host only
  other_gpu,  // only the driver's copies get there
};

// Of one comm. Receives are added in order and put in place by submit(); a mark says when.
// Nothing is allocated after the first receive. Not thread-safe.
class Unpacker {
 public:
  // `gpu`: whose memory is unpacked to, and in whose memory the pool may lie; null for none.
  // `receive_bytes`: of the largest receive. `window`: receives that are not finished, at most.
  // Code::unavailable where the mode wants a GPU and there is none; the driver's error where it
  // wants the kernel, and that cannot be loaded.
  static Result<std::unique_ptr<Unpacker>> create(const UnpackOptions& options,
                                                  std::shared_ptr<Gpu> gpu,
                                                  std::size_t receive_bytes, std::size_t window);

  // Tells UnpackUse what receives from such a pool, to the GPU's memory or else the host's, will
  // be.
  void expect(MemoryKind bounce_kind);

  // Where a receive belongs.
  struct Place {
    std::byte* data = nullptr;
    std::size_t bytes = 0;
    Reach reach = Reach::pageable;
    bool whole = true;  // nothing less than so many bytes may have come
  };
  // What has come for a receive.
  struct Arrival {
    std::size_t bytes = 0;
    std::size_t end = 0;  // of the furthest byte, from the start of the receive
  };
  // The fragments must stay until the mark of the next submit() is finished. What they claim is
  // checked: Code::plugin where a fragment leaves the receive or the pool, Code::data where they
  // are not as many bytes as were to come.
  Result<Arrival> add(const Fragments& fragments, const Place& place);
  // A mark that is finished when all that was added is in its place; 0: it is there already.
  Result<std::uint64_t> submit();
  // Never blocks. True for 0.
  Result<bool> finished(std::uint64_t mark);

 private:
  Unpacker(const UnpackOptions& options, std::shared_ptr<Gpu> gpu, std::size_t receive_bytes,
           std::size_t window);

  Status load_kernel();
  Result<UnpackMode> mode_for(const Fragments& fragments, Reach reach) const;
  Result<UnpackMode> mode_out_of_gpu(const Fragments& fragments, Reach reach) const;
  bool kernel_reaches(const Fragments& fragments, Reach reach) const;
  Status put(UnpackMode mode, const Fragments& fragments, const Place& place);
  Status launch();
  bool are_few() const;
  Status take_in();
  Status copy_each(const Fragments& fragments, std::byte* to);
  Status through_host(const Fragments& fragments, const Place& place);
  Result<std::byte*> next_slot();

  const UnpackOptions options_;
  const std::shared_ptr<Gpu> gpu_;
  const std::size_t receive_bytes_;
  const std::size_t window_;
  std::unique_ptr<GpuStream> stream_;  // where there is a GPU
  bool has_kernel_ = false;
  struct Waiting {
    Fragments fragments;
    Place place;
  };
  std::vector<Waiting> waiting_;  // for the kernel, at the next submit()
  std::vector<UnpackReceive> launching_;
  std::uint32_t longest_ = 0;    // bytes of a fragment of those
  bool queued_ = false;          // on the stream, since the last mark
  std::optional<Buffer> slots_;  // pinned, a receive each: of the mode host
  std::size_t next_slot_ = 0;
};

}  // namespace hawser
