#include "node/kernel_counts.h"

#include <fmt/core.h>

#include <algorithm>
#include <thread>

#include "base/socket.h"

namespace hawser::node {
namespace {

// A kernel may count by the packet what it sent by the batch.
constexpr double kLeastShare = 0.98;
// Headers, acknowledgements, packets sent again, and what else goes over that NIC.
constexpr double kMostShare = 1.25;
constexpr std::uint64_t kOtherTraffic = std::uint64_t{16} << 20;

// "192.0.2.7:20000", "[fd00::7]:20000"
bool on_this_machine(const std::string& peer) {
  std::string host = peer.substr(0, peer.rfind(':'));
  std::erase_if(host, [](char letter) { return letter == '[' || letter == ']'; });
  const auto address = IpAddress::parse(host.substr(0, host.find('%')));
  return address && sockets::stays_here(*address);
}

void compare_one(const std::string& nic, const char* done, std::uint64_t moved,
                 std::uint64_t counted, std::vector<std::string>& differences) {
  const auto share = static_cast<double>(moved);
  const auto kernel = static_cast<double>(counted);
  if (kernel < kLeastShare * share)
    differences.push_back(
        fmt::format("{}: {} bytes {} by its channels, {} counted by the kernel: "
                    "data took another NIC",
                    nic, moved, done, counted));
  if (kernel > kMostShare * share + static_cast<double>(kOtherTraffic))
    differences.push_back(
        fmt::format("{}: {} bytes {} by its channels, {} counted by the kernel: "
                    "another NIC's data, other traffic, or packets sent again",
                    nic, moved, done, counted));
}

}  // namespace

void KernelCounters::start(const std::vector<std::string>& nics) {
  for (const std::string& nic : nics)
    if (const auto counters = read_nic_counters(sysfs_root_, nic)) before_.emplace(nic, *counters);
}

KernelCounts KernelCounters::now() const {
  KernelCounts counts;
  for (const auto& [nic, before] : before_)
    if (const auto counters = read_nic_counters(sysfs_root_, nic))
      counts.emplace(nic, NicCounters{counters->sent_bytes - before.sent_bytes,
                                      counters->received_bytes - before.received_bytes});
  return counts;
}

KernelCounts KernelCounters::counts(const NodeOutcome& outcome) const {
  for (const GpuOutcome& gpu : outcome.gpus)
    if (on_this_machine(gpu.link.peer)) return {};
  const Accounts books = keep_accounts(outcome);
  const Deadline deadline = Deadline::after(kPatience);
  while (true) {
    KernelCounts counts = now();
    if (compare(books, counts).empty() || deadline.expired()) return counts;
    std::this_thread::sleep_for(Milliseconds(100));
  }
}

std::vector<std::string> compare(const Accounts& books, const KernelCounts& kernel) {
  std::vector<std::string> differences;
  for (const Account& nic : books.nics) {
    const auto counted = kernel.find(nic.name);
    if (counted == kernel.end()) continue;
    compare_one(nic.name, "sent", nic.moved.sent, counted->second.sent_bytes, differences);
    compare_one(nic.name, "received", nic.moved.received, counted->second.received_bytes,
                differences);
  }
  return differences;
}

}  // namespace hawser::node
