// The report that a run should print, made from the page's template and the run's own numbers.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace hawser::test {

inline constexpr const char* kHostOverTcp = "NOT TESTED (host memory over hawser TCP, not TCPX)";
inline constexpr const char* kStagedOverTcp =
    "NOT TESTED (cuda memory staged through host memory over hawser TCP, not TCPX)";
inline constexpr const char* kHostOverEmulator =
    "NOT TESTED (host memory over emulated TCPX GPUDirectTCPX_emulated_v7)";
inline constexpr const char* kCudaOverEmulator =
    "NOT TESTED (cuda memory over emulated TCPX GPUDirectTCPX_emulated_v7)";

// What stands in the page where a run differs from another. `devices` and `speed` are the
// machine's: read_machine() takes them from the report itself.
struct PageNumbers {
  std::string role = "server";
  int gpu = 0;
  std::string dev = "0";
  std::string name = "lo";
  int channels = 4;
  long long bytes = 16777216;
  std::string devices;
  std::string speed;
  std::string devmem = kHostOverTcp;
};

// Fills dev, devices and speed from the device lines of a report, which must be there, once, and
// agree.
void read_machine(const std::string& report, PageNumbers& numbers);

// The whole page of a run in which every channel passed.
std::string page_passed(const PageNumbers& numbers);

// What became of each channel of a run that failed, in the page's words.
struct ChannelStory {
  bool created = false;
  bool transferred = false;
  bool passed = false;
  std::string failed_line;    // "tcpx_reg_mr failed"
  bool failed_early = false;  // while being created: printed with the creation lines
};

struct Verdict {
  std::string result = "Single-process CANNOT use multiple channels on same NIC";
  std::string devmem = kHostOverTcp;
  std::string action = "Contact Google, reconsider approach";
  std::string serialized;  // the whole line, or empty
};

std::string page_failed(const PageNumbers& numbers, const std::vector<ChannelStory>& stories,
                        const Verdict& verdict);

}  // namespace hawser::test
