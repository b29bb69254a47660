// Memory that can be taken away while others use it.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "support/sanitizers.h"

namespace hawser::test {

// Pages of a file of this process. They lie where the kernel puts nothing of its own accord, so
// that nobody gets the place meanwhile. One at a time.
class VanishingMemory {
 public:
  enum class Way { unmapped, no_access, truncated };

  explicit VanishingMemory(std::size_t bytes, int protection = PROT_READ | PROT_WRITE)
      : bytes_(bytes), file_(::memfd_create("vanishing", MFD_CLOEXEC)) {
    EXPECT_EQ(::ftruncate(file_, static_cast<off_t>(bytes)), 0);
    // Each sanitizer has the addresses of the other for its own.
    const std::uintptr_t free_place = kAddressSanitizer ? 0x500000000000 : 0x1000000000;
    void* const place = reinterpret_cast<void*>(free_place);
    data_ = static_cast<std::byte*>(
        ::mmap(place, bytes, protection, MAP_SHARED | MAP_FIXED_NOREPLACE, file_, 0));
    EXPECT_EQ(data_, place);
  }
  ~VanishingMemory() {
    ::munmap(data_, bytes_);
    ::close(file_);
  }
  VanishingMemory(const VanishingMemory&) = delete;
  VanishingMemory& operator=(const VanishingMemory&) = delete;

  std::byte* data() const { return data_; }
  std::span<std::byte> bytes() const { return {data_, bytes_}; }

  // From there on, whole pages; a file loses all behind it, too.
  void vanish(Way way, std::size_t offset, std::size_t bytes) {
    switch (way) {
      case Way::unmapped:
        EXPECT_EQ(::munmap(data_ + offset, bytes), 0);
        return;
      case Way::no_access:
        return protect(offset, bytes, PROT_NONE);
      case Way::truncated:
        EXPECT_EQ(::ftruncate(file_, static_cast<off_t>(offset)), 0);
        return;
    }
  }
  void vanish(Way way) { vanish(way, 0, bytes_); }
  void protect(std::size_t offset, std::size_t bytes, int protection) {
    EXPECT_EQ(::mprotect(data_ + offset, bytes, protection), 0);
  }

 private:
  const std::size_t bytes_;
  const int file_;
  std::byte* data_ = nullptr;
};

inline constexpr VanishingMemory::Way kWaysToVanish[] = {VanishingMemory::Way::unmapped,
                                                         VanishingMemory::Way::no_access,
                                                         VanishingMemory::Way::truncated};

}  // namespace hawser::test
