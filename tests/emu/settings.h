// The environment variables of the emulator, read once at init.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fault_rules.h"

namespace emu {

// Which pieces receives land in.
enum class FragmentKind { pages, scattered, mixed, tiny };

enum class BouncePlace { automatic, host, cuda };

struct Settings {
  std::int64_t chunk_bytes = 0;  // NCCL_DYNAMIC_CHUNK_SIZE; 0: unset, no request is accepted
  std::string interfaces;        // NCCL_GPUDIRECTTCPX_SOCKET_IFNAME
  std::string sysfs_root = "/sys";
  std::string cuda_library = "libcuda.so.1";
  std::uint32_t pool_pages = 65536;              // HAWSER_EMU_POOL_PAGES
  FragmentKind fragments = FragmentKind::mixed;  // HAWSER_EMU_FRAGMENTS
  BouncePlace bounce = BouncePlace::automatic;   // HAWSER_EMU_BOUNCE
  std::vector<FaultRule> faults;                 // HAWSER_EMU_FAULTS
};

// Fills `settings`; returns what is wrong with the environment, "" where nothing is.
std::string read_settings(Settings& settings);

}  // namespace emu
