// Two machines in one: a pair of network namespaces.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "support/subprocess.h"

namespace hawser::test {

// Runs it in a thread of its own that has moved to the namespace, and waits for its end. Sockets
// and threads stay in the namespace they were made in.
void inside(const std::string& netns, const std::function<void()>& work);

// Namespaces hwtest-<pid>-a and -b, joined by `links` veth pairs. Link i is called hw<i> on both
// sides, with address 10.77.<i>.1/24 and fd77:<i>::1/64 in a, .2 and ::2 in b. The destructor
// removes all namespaces, and with them all that lives in them. One at a time per process.
class NamespacePair {
 public:
  static constexpr int kMaxLinks = 16;
  // Or all NICs of both sides at one switch, a bridge in a third namespace, and in one network:
  // 10.77.0.1<i>/24 in a, 10.77.0.2<i> in b.
  enum class Layout { cables, one_switch };

  // nullptr where this machine does not let us; `why_not` then says what is missing.
  static std::unique_ptr<NamespacePair> create(int links, std::string& why_not,
                                               Layout layout = Layout::cables);
  ~NamespacePair();
  NamespacePair(const NamespacePair&) = delete;
  NamespacePair& operator=(const NamespacePair&) = delete;

  const std::string& a() const { return a_; }
  const std::string& b() const { return b_; }
  static std::string link_name(int link) { return "hw" + std::to_string(link); }
  static std::string address_a(int link) { return "10.77." + std::to_string(link) + ".1"; }
  static std::string address_b(int link) { return "10.77." + std::to_string(link) + ".2"; }
  static std::string address6_b(int link) { return "fd77:" + std::to_string(link) + "::2"; }

  static std::string switched_a(int nic) { return "10.77.0.1" + std::to_string(nic); }
  static std::string switched_b(int nic) { return "10.77.0.2" + std::to_string(nic); }
  // What an interface has sent, or received, by the kernel's counters: "tx_bytes", "rx_bytes".
  static std::uint64_t counter(const std::string& netns, const std::string& interface,
                               const std::string& name);

  // `ip -n NAMESPACE WORDS...`; false, and a test failure, where it fails.
  bool configure(const std::string& netns, const std::string& words);
  // A shell's command in the namespace; likewise.
  bool shell(const std::string& netns, const std::string& command);

 private:
  NamespacePair();
  std::string build(int links);  // what failed, or empty
  std::string build_switched(int nics);

  std::string a_, b_, switch_;
};

}  // namespace hawser::test
