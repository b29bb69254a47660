// The environment variables of the emulator, read once at init.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "fault_rules.h"

namespace emu {

// Which pieces receives land in.
enum class FragmentKind { pages, scattered, mixed, tiny };

enum class BouncePlace { automatic, host, cuda };

// What becomes of a receive into host memory from a socket that is steered to a GPU.
enum class HostReceives { never, in_place };

// What a host sees of a peer that is gone: what the real one shows, or always the same.
enum class PeerDeath { real, never, code };

struct Settings {
  std::int64_t chunk_bytes = 0;  // NCCL_DYNAMIC_CHUNK_SIZE; 0: unset, no request is accepted
  std::string interfaces;        // NCCL_GPUDIRECTTCPX_SOCKET_IFNAME
  std::string sysfs_root = "/sys";
  std::string cuda_library = "libcuda.so.1";
  std::uint32_t pool_pages = 65536;                  // HAWSER_EMU_POOL_PAGES
  FragmentKind fragments = FragmentKind::mixed;      // HAWSER_EMU_FRAGMENTS
  BouncePlace bounce = BouncePlace::automatic;       // HAWSER_EMU_BOUNCE
  HostReceives host_receives = HostReceives::never;  // HAWSER_EMU_HOST_RECEIVES
  PeerDeath peer_death = PeerDeath::real;            // HAWSER_EMU_PEER_DEATH
  int peer_death_code = 0;                           // of PeerDeath::code
  std::string gpu_nics;                              // HAWSER_EMU_GPU_NICS
  std::chrono::milliseconds import_time{};           // HAWSER_EMU_IMPORT_MS
  std::vector<FaultRule> faults;                     // HAWSER_EMU_FAULTS
};

// Fills `settings`; returns what is wrong with the environment, "" where nothing is.
std::string read_settings(Settings& settings);

}  // namespace emu
