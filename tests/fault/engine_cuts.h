// Two machines with several NICs each, and ways to spoil one of them.
#pragma once

#include <gtest/gtest.h>
#include <hawser/engine.h>

#include <functional>
#include <memory>
#include <string>

#include "fault/engine_traffic.h"
#include "support/netns.h"

namespace hawser::test {

enum class Cut {
  both_ways,   // packets are lost
  to_peer,     // those to the peer
  from_peer,   // those from it
  down_here,   // `ip link set down`
  down_there,  // likewise
  reset,       // its connections are reset
};
inline constexpr Cut kAllCuts[] = {Cut::both_ways, Cut::to_peer,    Cut::from_peer,
                                   Cut::down_here, Cut::down_there, Cut::reset};
const char* name_of(Cut cut);

// This process is in namespace a, with its engine's threads; its peer in b.
class EngineNics : public testing::Test {
 protected:
  static constexpr int kNics = 4;

  void SetUp() override;
  void TearDown() override;

  FaultSetup setup() const;
  void start(const FaultSetup& setup);
  Result<Link> connect();
  void cut(Cut how, int nic);
  void restore(Cut how, int nic);
  bool wait_all_up(const Link& link, Milliseconds patience);

  std::unique_ptr<NamespacePair> namespaces_;
  FaultSetup setup_;
  std::unique_ptr<FaultPeer> peer_;
  std::unique_ptr<Engine> engine_;

 private:
  void lose(const std::string& from, const std::string& to, int nic, bool lose);
  void configure(const std::string& netns, const std::string& words);
};

}  // namespace hawser::test
