// What a side runs on, for the report: without it no figure means anything.
#pragma once

#include <map>
#include <set>
#include <string>

#include "side/environment.h"

namespace hawser {

// The TCP sockets that a transport opened, as this process sees them: by looking at what it has
// open before and after. So it is known of any transport how many it uses, and how they are set.
class TransportSockets {
 public:
  void before();  // the transport opens its connections after this
  void after();
  int count() const { return count_; }
  // "bbr"; "bbr+reno" where they differ; empty where there are none.
  std::string congestion() const;
  // What most have: the few others are control connections. Empty where there are none.
  std::string common_congestion() const;

 private:
  std::set<int> known_;
  std::map<std::string, int> controls_;  // how many have each
  int count_ = 0;
};

// "Linux 6.1.0, 2 of 16 CPUs (0-1) of Intel ..., ...": `cpus_chosen` whether they were chosen.
std::string machine_text(bool cpus_chosen);
// "builtin on eth0 (10.0.0.1), host memory, 2 TCP sockets with bbr".
std::string path_text(const Environment& environment, const TransportSockets& sockets);
// "cubic": what new sockets of this machine get.
std::string default_congestion_control();

}  // namespace hawser
