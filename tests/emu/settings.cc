#include "settings.h"

#include <charconv>
#include <cstdlib>
#include <utility>

namespace emu {
namespace {

constexpr std::int64_t kMaxPoolPages = 1 << 20;  // so that every offset fits 32 bits
constexpr std::int64_t kMostImportMs = 60000;

std::string environment(const char* name, const char* fallback = "") {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : fallback;
}

bool parse_whole(const std::string& text, std::int64_t min, std::int64_t max, std::int64_t& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value);
  return problem == std::errc() && stop == end && value >= min && value <= max;
}

std::string read_chunk(Settings& settings) {
  const std::string text = environment("NCCL_DYNAMIC_CHUNK_SIZE", "0");
  if (parse_whole(text, 0, INT32_MAX, settings.chunk_bytes)) return "";
  return "NCCL_DYNAMIC_CHUNK_SIZE=" + text + ": want a number of bytes";
}

std::string read_pool_pages(Settings& settings) {
  const std::string text = environment("HAWSER_EMU_POOL_PAGES", "65536");
  std::int64_t pages = 0;
  if (!parse_whole(text, 1, kMaxPoolPages, pages))
    return "HAWSER_EMU_POOL_PAGES=" + text + ": want 1 to 1048576 pages";
  settings.pool_pages = static_cast<std::uint32_t>(pages);
  return "";
}

std::string read_fragments(Settings& settings) {
  static constexpr std::pair<const char*, FragmentKind> kKinds[] = {
      {"pages", FragmentKind::pages},
      {"scattered", FragmentKind::scattered},
      {"mixed", FragmentKind::mixed},
      {"tiny", FragmentKind::tiny}};
  const std::string text = environment("HAWSER_EMU_FRAGMENTS", "mixed");
  for (const auto& [name, kind] : kKinds) {
    if (text != name) continue;
    settings.fragments = kind;
    return "";
  }
  return "HAWSER_EMU_FRAGMENTS=" + text + ": want pages, scattered, mixed or tiny";
}

std::string read_bounce(Settings& settings) {
  const std::string text = environment("HAWSER_EMU_BOUNCE", "auto");
  if (text == "host") settings.bounce = BouncePlace::host;
  if (text == "cuda") settings.bounce = BouncePlace::cuda;
  if (text == "auto" || text == "host" || text == "cuda") return "";
  return "HAWSER_EMU_BOUNCE=" + text + ": want auto, host or cuda";
}

std::string read_host_receives(Settings& settings) {
  const std::string text = environment("HAWSER_EMU_HOST_RECEIVES", "never");
  if (text == "in-place") settings.host_receives = HostReceives::in_place;
  if (text == "in-place" || text == "never") return "";
  return "HAWSER_EMU_HOST_RECEIVES=" + text + ": want never or in-place";
}

std::string read_peer_death(Settings& settings) {
  const std::string text = environment("HAWSER_EMU_PEER_DEATH", "real");
  if (text == "real") return "";
  settings.peer_death = text == "never" ? PeerDeath::never : PeerDeath::code;
  std::int64_t code = 0;
  if (text != "never" && !parse_whole(text, 1, 7, code))
    return "HAWSER_EMU_PEER_DEATH=" + text + ": want real, never, or a code from 1 to 7";
  settings.peer_death_code = static_cast<int>(code);
  return "";
}

std::string read_import_time(Settings& settings) {
  const std::string text = environment("HAWSER_EMU_IMPORT_MS", "10");
  std::int64_t milliseconds = 0;
  if (!parse_whole(text, 0, kMostImportMs, milliseconds))
    return "HAWSER_EMU_IMPORT_MS=" + text + ": want 0 to 60000 milliseconds";
  settings.import_time = std::chrono::milliseconds(milliseconds);
  return "";
}

}  // namespace

std::string read_settings(Settings& settings) {
  settings.interfaces = environment("NCCL_GPUDIRECTTCPX_SOCKET_IFNAME");
  settings.sysfs_root = environment("HAWSER_SYSFS_ROOT", "/sys");
  settings.cuda_library = environment("HAWSER_CUDA_LIBRARY", "libcuda.so.1");
  settings.gpu_nics = environment("HAWSER_EMU_GPU_NICS");
  for (auto* read : {read_chunk, read_pool_pages, read_fragments, read_bounce, read_host_receives,
                     read_peer_death, read_import_time})
    if (std::string problem = read(settings); !problem.empty()) return problem;
  return parse_fault_rules(environment("HAWSER_EMU_FAULTS"), settings.faults);
}

}  // namespace emu
